"""A target for long runs of a coverage-guided fuzzer, atheris (libFuzzer).

    pip install atheris
    python tests/reliability/fuzz_target.py CORPUS -max_total_time=3600 -timeout=60 \\
        -rss_limit_mb=3072

An input is one byte that tells the kind of file, and the file. A missing or empty
folder CORPUS is filled with a valid file of every kind. The mutations of ``fuzzing.py``
take turns with those of libFuzzer. Whatever comes out but `PolykerasError` ends the
run, and libFuzzer keeps the input.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import atheris
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
with atheris.instrument_imports(include=["polykeras"]):
    import fuzzing

__all__ = ["Target"]


class Target:
    """Loads inputs and makes new ones.

    Args:
        folder: Where files are written.
    """

    def __init__(self, folder: Path) -> None:
        self.valid = fuzzing.valid_files(folder)
        self.loader = fuzzing.Loader(folder, self.valid)

    def seeds(self) -> dict[str, bytes]:
        """Return a valid input of every kind."""
        return {kind: self.encoded(kind, raw) for kind, raw in self.valid.items()}

    def encoded(self, kind: str, raw: bytes) -> bytes:
        """Return the input that stands for a file."""
        return bytes([fuzzing.KINDS.index(kind)]) + raw

    def decoded(self, data: bytes) -> tuple[str, bytes]:
        """Return the file that an input stands for."""
        return fuzzing.KINDS[(data[0] if data else 0) % len(fuzzing.KINDS)], data[1:]

    def run(self, data: bytes) -> None:
        """Load an input; only errors of polykeras' own are caught."""
        kind, raw = self.decoded(data)
        try:
            fuzzing.unzipped(raw) if kind in fuzzing.FOLDERS else None
        except Exception:
            return  # The zip is only how this script keeps folders.
        self.loader.load_bytes(kind, raw)

    def mutate(self, data: bytes, most: int, seed: int) -> bytes:
        """Return an input near another one."""
        kind, raw = self.decoded(data)
        if seed % 2:
            return self.encoded(kind, bytes(atheris.Mutate(raw, max(1, most - 1))))
        try:
            changed = fuzzing.MUTATE[kind](raw, np.random.default_rng(seed))
        except Exception:
            # The mutations of structured data need data of that structure.
            changed = fuzzing.mutate_bytes(raw, np.random.default_rng(seed))
        return self.encoded(kind, changed)[:most]


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        target = Target(Path(name))
        folders = [Path(a) for a in arguments[1:] if not a.startswith("-")]
        for folder in folders[:1]:
            folder.mkdir(exist_ok=True)
            if not any(folder.iterdir()):
                for kind, data in target.seeds().items():
                    (folder / kind).write_bytes(data)
        longest = max(map(len, target.seeds().values()))
        given: list[Any] = [f"-max_len={2 * longest}", *arguments[1:]]
        atheris.Setup([arguments[0], *given], target.run, custom_mutator=target.mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
