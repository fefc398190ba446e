"""Mutate valid files and load them: only `PolykerasError` may come out.

    python tests/reliability/fuzzing.py --files 100000

Every file is named by a kind and a number, from which it can be made again. Files are
loaded in worker processes whose memory is limited, so that a crash of a library or a
large allocation is found as well.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import hashlib
import io
import json
import multiprocessing
import resource
import shutil
import signal
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import polykeras as keras
from polykeras.compare._dump import Dump, Entry, diff
from polykeras.errors import PolykerasError

SUFFIXES = {
    "archive": ".keras",
    "hdf5": ".weights.h5",
    "chunked": ".weights.h5",
    "keras2": ".h5",
    "safetensors": ".safetensors",
    "shards": ".weights.json",
    "checkpoint": "",
    "dump": ".pkd",
    "json": ".json",
}
# Kinds that are several files, which are kept in a zip here.
FOLDERS = ("shards", "checkpoint")
KINDS = sorted(SUFFIXES)
KERAS2 = Path(__file__).parents[1] / "saving" / "data" / "keras2_files.zip"
# What a worker may take beyond what it had at its start.
MEMORY = 2 << 30
SECONDS = 60
BATCH = 2000


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
    parts = folder / "parts"
    parts.mkdir()
    model.save_weights(parts / "f.weights.json", max_shard_size=1e-6)
    entries = [
        Entry("layer", "a", "Dense", "inference", "float32", np.ones((2, 3), "f"), 1.0),
        Entry("weight", "b", "", "training", "bfloat16", np.ones(4, "u2")),
    ]
    Dump("numpy", "m", {"seed": 1, "weights": 2}, entries).write(folder / "m.pkd")
    with zipfile.ZipFile(KERAS2) as archive:
        old = archive.read("graph.h5")
    return {
        "archive": (folder / "m.keras").read_bytes(),
        "hdf5": (folder / "m.weights.h5").read_bytes(),
        "chunked": chunked(folder / "m.weights.h5"),
        "keras2": old,
        "safetensors": (folder / "m.safetensors").read_bytes(),
        "shards": zipped({p.name: p.read_bytes() for p in parts.iterdir()}),
        "checkpoint": zipped(
            {
                p.name: p.read_bytes()
                for p in keras.training.Checkpoint(folder / "c").save(model).iterdir()
            }
        ),
        "dump": (folder / "m.pkd").read_bytes(),
        "json": model.to_json().encode(),
    }


def chunked(path: Path) -> bytes:
    """Return an HDF5 file with its arrays in pieces, packed."""
    stream = io.BytesIO()
    with h5py.File(path) as source, h5py.File(stream, "w") as target:

        def copy(name: str, item: Any) -> None:
            if not isinstance(item, h5py.Dataset):
                made = target.require_group(name)
            elif item.shape and item.size:
                pieces = tuple(max(1, n // 2) for n in item.shape)
                how = {"chunks": pieces, "compression": "gzip", "shuffle": True}
                made = target.create_dataset(name, data=item[()], **how)
            else:
                made = target.create_dataset(name, data=item[()])
            made.attrs.update(item.attrs)

        source.visititems(copy)
    return stream.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    """Return several files as one."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in sorted(files.items()):
            # A date of its own, so that the same files give the same bytes.
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return stream.getvalue()


def unzipped(raw: bytes) -> dict[str, bytes]:
    """Return the files that `zipped` made one."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


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
    members = unzipped(raw)
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


def _one_changed(files: dict[str, bytes], rng: np.random.Generator) -> dict[str, bytes]:
    name = sorted(files)[int(rng.integers(len(files)))]
    changes = {".json": mutate_json, ".safetensors": mutate_safetensors}
    change = changes.get(Path(name).suffix, mutate_bytes)
    changed = {**files, name: change(files[name], rng)}
    if rng.random() < 0.05:
        del changed[name]
    return changed


def mutate_shards(raw: bytes, rng: np.random.Generator) -> bytes:
    """Return files with one of them changed."""
    return zipped(_one_changed(unzipped(raw), rng))


def mutate_checkpoint(raw: bytes, rng: np.random.Generator) -> bytes:
    """Return a checkpoint with one file changed, mostly with right digests."""
    files = _one_changed(unzipped(raw), rng)
    manifest = files.get("manifest.json", b"")
    if rng.random() < 0.8 and manifest == unzipped(raw)["manifest.json"]:
        data = json.loads(manifest)
        data["files"] = {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
            if name != "manifest.json"
        }
        files["manifest.json"] = json.dumps(data).encode()
    return zipped(files)


def mutate_dump(raw: bytes, rng: np.random.Generator) -> bytes:
    """Return a dump with a changed member and right checksums, or changed bytes."""
    if rng.random() < 0.3:
        return mutate_bytes(raw, rng)
    return zipped(_one_changed(unzipped(raw), rng))


MUTATE: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "archive": mutate_archive,
    "hdf5": mutate_bytes,
    "chunked": mutate_bytes,
    "keras2": mutate_bytes,
    "safetensors": mutate_safetensors,
    "shards": mutate_shards,
    "checkpoint": mutate_checkpoint,
    "dump": mutate_dump,
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
        """Load the file of a kind and a number.

        Returns:
            ``"loaded"`` or the name of the error; other errors pass through.
        """
        rng = np.random.default_rng([KINDS.index(kind), number])
        return self.load_bytes(kind, MUTATE[kind](self.valid[kind], rng))

    def load_bytes(self, kind: str, raw: bytes) -> str:
        """Load the content of a file of a kind."""
        path = self._written(kind, raw)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._load(kind, path, raw)
        except PolykerasError as error:
            return type(error).__name__
        return "loaded"

    def _written(self, kind: str, raw: bytes) -> Path:
        if kind not in FOLDERS:
            path = self.folder / f"f{SUFFIXES[kind]}"
            path.write_bytes(raw)
            return path
        folder = self.folder / kind
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, content in unzipped(raw).items():
            (folder / name).write_bytes(content)
        return folder / f"f{SUFFIXES[kind]}" if SUFFIXES[kind] else folder

    def _load(self, kind: str, path: Path, raw: bytes) -> None:
        with contextlib.suppress(PolykerasError):
            keras.saving.inspect_file(path)
        if kind in ("archive", "keras2"):
            keras.models.load_model(path)
        elif kind == "json":
            with keras.saving.loading_limits(max_bytes=64 << 20):
                keras.models.model_from_json(raw.decode("utf-8", "replace"))
        elif kind == "checkpoint":
            keras.training.Checkpoint(path.parent).restore(self.model, path)
            # What the file says is read when the run goes on.
            x, y = np.ones((2, 6), "float32"), np.ones((2, 1), "float32")
            self.model.fit(x, y, verbose=0)
        elif kind == "dump":
            dump = Dump.read(path)
            diff(dump, dump)
        else:
            self.model.load_weights(path)


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
            kind = KINDS[number % len(KINDS)]
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
    ["numpy", "h5py", "polykeras.saving", "polykeras.training"]
)

if __name__ == "__main__":
    sys.exit(main())
