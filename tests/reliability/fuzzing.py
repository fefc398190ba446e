"""Mutate valid files and load them: only `PolykerasError` may come out.

    python tests/reliability/fuzzing.py --files 100000

Every file is named by a kind and a number, from which it can be made again. Files are
loaded in worker processes whose memory is limited, so that a crash of a library or a
large allocation is found as well.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import multiprocessing
import resource
import signal
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import polykeras as keras
from polykeras.errors import PolykerasError

SUFFIXES = {
    "archive": ".keras",
    "hdf5": ".weights.h5",
    "safetensors": ".safetensors",
    "json": ".json",
}
# What a worker may take beyond what it had at its start.
MEMORY = 2 << 30
SECONDS = 60
BATCH = 250


def make_model() -> Any:
    layers = keras.layers
    keras.utils.set_random_seed(1)
    x = layers.Input((6,), name="x")
    y = layers.Dense(4, activation="relu", kernel_regularizer="l2")(x)
    y = layers.Reshape((2, 2))(layers.BatchNormalization()(y))
    inner = keras.Sequential([layers.LSTM(2), layers.Dropout(0.1)], name="inner")
    z = keras.ops.concatenate([inner(y), y[:, 0] * 2.0], axis=-1)
    model = keras.Model(x, layers.Dense(1)(z))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae", "AUC"])
    model.train_on_batch(np.ones((2, 6), "float32"), np.ones((2, 1), "float32"))
    return model


def valid_files(folder: Path) -> dict[str, bytes]:
    """Return a valid file of every kind."""
    model = make_model()
    model.save(folder / "m.keras")
    model.save_weights(folder / "m.weights.h5")
    model.save_weights(folder / "m.safetensors")
    return {
        "archive": (folder / "m.keras").read_bytes(),
        "hdf5": (folder / "m.weights.h5").read_bytes(),
        "safetensors": (folder / "m.safetensors").read_bytes(),
        "json": model.to_json().encode(),
    }


# -- mutations -------------------------------------------------------------------

_NUMBERS = [
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0xFFFF,
    0x7FFFFFFF,
    0xFFFFFFFF,
    2**63 - 1,
    2**64 - 1,
]
_VALUES: list[Any] = [
    None, True, -1, 0, 1, 2**31, 2**40, 10**30, 1e308, -0.5, float("nan"), float("inf"),
    "", "x" * 600, "../../etc/passwd", "\ud800", [], {}, [[]], [None], [2**40] * 3,
    {"class_name": "function", "config": "eval", "module": "builtins"},
    {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}},
    {"class_name": "__numpy__", "config": {"value": [[1], [2, 3]], "dtype": "float32"}},
    {"class_name": "__tuple__", "items": 3}, {"class_name": "Dense", "config": {}},
    {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}},
]  # fmt: skip


def mutate_bytes(raw: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes with a few local changes."""
    data = bytearray(raw)
    for _ in range(int(rng.integers(1, 6))):
        at = int(rng.integers(0, max(1, len(data))))
        match int(rng.integers(0, 7)):
            case 0 if data:
                data[at % len(data)] ^= 1 << int(rng.integers(0, 8))
            case 1:
                data[at : at + 1] = rng.bytes(1)
            case 2:
                number = _NUMBERS[int(rng.integers(len(_NUMBERS)))]
                width = int(rng.choice([1, 2, 4, 8]))
                number &= (1 << 8 * width) - 1
                data[at : at + width] = number.to_bytes(width, "little")
            case 3:
                del data[at : at + int(rng.integers(1, 64))]
            case 4:
                data[at:at] = rng.bytes(int(rng.integers(1, 64)))
            case 5:
                other = int(rng.integers(0, max(1, len(data))))
                length = int(rng.integers(1, 128))
                data[at : at + length] = data[other : other + length]
            case 6 if rng.random() < 0.2:
                del data[at:]
    return bytes(data)


def _places(data: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    stack = [data]
    while stack:
        item = stack.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item))
        for key in keys:
            found.append((item, key))
            if isinstance(item[key], dict | list) and item[key]:
                stack.append(item[key])
    return found


def mutate_json(text: bytes, rng: np.random.Generator) -> bytes:
    """Return JSON with a few changed values, or bytes that may be none."""
    if rng.random() < 0.1:
        return mutate_bytes(text, rng)
    data = json.loads(text)
    for _ in range(int(rng.integers(1, 4))):
        places = _places(data)
        if not places:
            break
        holder, key = places[int(rng.integers(len(places)))]
        match int(rng.integers(0, 5)):
            case 0 | 1:
                holder[key] = copy.deepcopy(_VALUES[int(rng.integers(len(_VALUES)))])
            case 2:
                del holder[key]
            case 3:
                other, name = places[int(rng.integers(len(places)))]
                holder[key] = copy.deepcopy(other[name])
            case 4 if isinstance(holder[key], int | float):
                holder[key] = holder[key] * int(rng.choice([-1, 0, 3, 1 << 20]))
            case 4 if isinstance(holder, dict):
                holder[f"{key}x"] = holder.pop(key)
    return json.dumps(data).encode()


def mutate_archive(raw: bytes, rng: np.random.Generator) -> bytes:
    """Return an archive with a changed member and right checksums, or changed bytes."""
    if rng.random() < 0.3:
        return mutate_bytes(raw, rng)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    name = list(members)[int(rng.integers(len(members)))]
    if rng.random() < 0.5:
        name = "config.json"
    change = mutate_json if name.endswith(".json") else mutate_bytes
    members[name] = change(members[name], rng)
    stream = io.BytesIO()
    packing = zipfile.ZIP_DEFLATED if rng.random() < 0.2 else zipfile.ZIP_STORED
    with zipfile.ZipFile(stream, "w", packing) as archive:
        for member, content in members.items():
            # A date of its own, so that the same seed gives the same bytes.
            info = zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0))
            archive.writestr(info, content, packing)
    return stream.getvalue()


def mutate_safetensors(raw: bytes, rng: np.random.Generator) -> bytes:
    """Return a file with a changed header of the right length, or changed bytes."""
    if rng.random() < 0.4:
        return mutate_bytes(raw, rng)
    length = int.from_bytes(raw[:8], "little")
    header = mutate_json(raw[8 : 8 + length], rng)
    return len(header).to_bytes(8, "little") + header + raw[8 + length :]


MUTATE: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "archive": mutate_archive,
    "hdf5": mutate_bytes,
    "safetensors": mutate_safetensors,
    "json": mutate_json,
}


# -- loading ---------------------------------------------------------------------


class Loader:
    """Loads mutated files.

    Args:
        folder: Where they are written.
        valid: A valid file of every kind.
    """

    def __init__(self, folder: Path, valid: dict[str, bytes]) -> None:
        self.folder = folder
        self.valid = valid
        self.model = make_model()

    def load(self, kind: str, number: int) -> str:
        """Return ``"loaded"`` or the name of the error; other errors pass through."""
        rng = np.random.default_rng([sorted(SUFFIXES).index(kind), number])
        raw = MUTATE[kind](self.valid[kind], rng)
        path = self.folder / f"f{SUFFIXES[kind]}"
        path.write_bytes(raw)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if kind == "archive":
                    keras.models.load_model(path)
                elif kind == "json":
                    with keras.saving.loading_limits(max_bytes=64 << 20):
                        keras.models.model_from_json(raw.decode("utf-8", "replace"))
                else:
                    self.model.load_weights(path)
        except PolykerasError as error:
            return type(error).__name__
        return "loaded"


def _work(first: int, count: int, queue: Any) -> None:
    """Load a batch of files and report each before and after."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loader = Loader(folder, valid_files(folder))
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

        def late(*_: Any) -> None:
            raise TimeoutError(f"{SECONDS} seconds")

        signal.signal(signal.SIGALRM, late)
        for number in range(first, first + count):
            kind = sorted(SUFFIXES)[number % len(SUFFIXES)]
            queue.put((kind, number, None))
            signal.alarm(SECONDS)
            try:
                result = loader.load(kind, number)
            except BaseException as error:
                result = f"FAILED {type(error).__name__}: {str(error)[:200]}"
            signal.alarm(0)
            queue.put((kind, number, result))


def run(files: int, first: int) -> tuple[Counter[str], list[str]]:
    """Return how often each result came, and descriptions of all failures."""
    context = multiprocessing.get_context("forkserver")
    results: Counter[str] = Counter()
    failures: list[str] = []
    number, end = first, first + files
    while number < end:
        count = min(BATCH, end - number)
        queue = context.SimpleQueue()
        worker = context.Process(target=_work, args=(number, count, queue))
        worker.start()
        current = None
        while worker.is_alive() or not queue.empty():
            if queue.empty():
                worker.join(0.02)
                continue
            kind, at, result = queue.get()
            current = (kind, at)
            if result is None:
                continue
            number = at + 1
            results[f"{kind} {result.split()[0]}"] += 1
            if result.startswith("FAILED"):
                failures.append(f"{kind} {at}: {result}")
        if worker.exitcode:
            # It died while it loaded a file; go on behind that.
            kind, at = current or ("none", number)
            failures.append(f"{kind} {at}: process ended with {worker.exitcode}")
            results[f"{kind} FAILED"] += 1
            number = at + 1
    return results, failures


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    results, failures = run(given.files, given.first)
    for name, count in sorted(results.items()):
        print(f"{count:8} {name}")
    for line in failures[:50]:
        print(line)
    print(f"{sum(results.values())} files, {len(failures)} failures")
    return int(bool(failures))


multiprocessing.get_context("forkserver").set_forkserver_preload(
    ["numpy", "h5py", "polykeras.saving"]
)

if __name__ == "__main__":
    sys.exit(main())
