"""Kill a process again and again while it replaces a file with the next one.

    python tests/reliability/killing_saves.py --kind shards --kills 200

A process saves a model over and over, each time with weights that are one more. It is
killed with SIGKILL at a random moment and started anew. After every kill a whole save
must load, no older than the one after the kill before. The next save removes what the
last one left.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from _saves import KINDS, fill, make, value_of

# Forked from a process that has imported the libraries: a start takes milliseconds.
CONTEXT = multiprocessing.get_context("forkserver")


def save_on(kind: str, folder: str, first: int) -> None:
    """Save until the process is killed."""
    model = make()
    for n in itertools.count(first):
        fill(model, float(n))
        KINDS[kind][0](model, Path(folder))


def names(folder: Path) -> set[tuple[str, int]]:
    """Return what shows that something was written."""
    found = set()
    # Folders may go while they are walked through, which os.walk allows.
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):
                found.add((name, Path(where, name).stat().st_mtime_ns))
    return found


def run(kind: str, kills: int, seed: int) -> dict[str, Any]:
    """Return how often the process was killed, and after how many saves."""
    moments = random.Random(seed)
    reader = make()
    newer = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(reader, 0.0)
        KINDS[kind][0](reader, folder)
        last = 0.0
        for _ in range(kills):
            known = names(folder)
            process = CONTEXT.Process(
                target=save_on, args=(kind, str(folder), int(last) + 1)
            )
            process.start()
            while names(folder) == known and process.is_alive():
                time.sleep(0.001)
            time.sleep(moments.uniform(0.0, 0.2))
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            assert process.exitcode == -signal.SIGKILL
            with warnings.catch_warnings():
                # A damaged checkpoint would be passed over with a warning.
                warnings.simplefilter("error")
                found = value_of(KINDS[kind][1](reader, folder))
            assert found >= last, f"{found} after {last}"
            newer += found > last
            last = found
        KINDS[kind][0](reader, folder)
        left = [p.name for p in folder.rglob(".*")]
        assert not left, f"{left} stay after the next save"
    return {"kind": kind, "kills": kills, "after_newer_save": newer, "saves": last}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=sorted(KINDS), required=True)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(json.dumps(run(given.kind, given.kills, given.seed)))
    return 0


CONTEXT.set_forkserver_preload(["numpy", "polykeras.saving", "polykeras.training"])

if __name__ == "__main__":
    sys.exit(main())
