"""The files of checkpoints: their names, and what is read from them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from polykeras.backend import Array
from polykeras.errors import DataError
from polykeras.storage.atomic import sync_file, sync_folder
from polykeras.storage.json_data import parse_json_object
from polykeras.storage.safetensors_format import open_safetensors, write_safetensors
from polykeras.storage.stores import Store

__all__ = [
    "CALLBACKS",
    "GENERATORS",
    "METRICS",
    "CheckpointFile",
    "checkpoint_folder",
    "checkpoint_numbers",
    "is_checkpoint",
    "open_checkpoint",
    "read_manifest",
    "write_checkpoint",
]

# Arrays that are no weights, beside the parts of the model.
METRICS: Final = "training/metrics"
GENERATORS: Final = "training/generators"
CALLBACKS: Final = "training/callbacks"
_MANIFEST: Final = "manifest.json"
_ARRAYS: Final = "arrays.safetensors"
_STATE: Final = "state.json"
_NAME: Final = re.compile(r"checkpoint-(\d{8,})")


@dataclass
class CheckpointFile:
    """What a checkpoint holds.

    Args:
        groups: Path of a part to its arrays by key, to be read while it is open.
        state: The rest, as plain data.
    """

    groups: dict[str, Store]
    state: dict[str, Any]


def checkpoint_folder(directory: Path, number: int) -> Path:
    """Return the folder of a checkpoint."""
    return directory / f"checkpoint-{number:08d}"


def checkpoint_numbers(directory: Path) -> list[int]:
    """Return the numbers of the checkpoints in a folder, oldest first."""
    if not directory.is_dir():
        return []
    matches = [_NAME.fullmatch(p.name) for p in directory.iterdir()]
    return sorted(int(m[1]) for m in matches if m)


def is_checkpoint(folder: Path) -> bool:
    """Return whether a folder is named as a checkpoint is, or has its manifest."""
    return bool(_NAME.fullmatch(folder.name)) or (folder / _MANIFEST).is_file()


def write_checkpoint(
    folder: Path,
    groups: Mapping[str, Mapping[str, Array]],
    state: Mapping[str, Any],
    logs: Mapping[str, float],
) -> None:
    """Write the files of a checkpoint, and wait until they have reached the disk.

    Args:
        folder: An empty folder.
        groups: Path of a part to its arrays by key.
        state: The rest, as plain data.
        logs: Values that tell which checkpoints are best.
    """
    write_safetensors(folder / _ARRAYS, groups)
    (folder / _STATE).write_text(json.dumps(state))
    files = {n: _described(folder / n) for n in (_ARRAYS, _STATE)}
    manifest = {"format": 1, "logs": logs, "files": files}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1))
    for name in (_ARRAYS, _STATE, _MANIFEST):
        sync_file(folder / name)
    sync_folder(folder)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a checkpoint.

    Raises:
        DataError: If there is none or it is damaged.
    """
    path = folder / _MANIFEST
    if not _is_plain(path):
        raise DataError(f"{folder} is no checkpoint: it lacks {_MANIFEST}.")
    return parse_json_object(path.read_bytes(), str(path))


@contextmanager
def open_checkpoint(folder: Path) -> Iterator[CheckpointFile]:
    """Yield what a checkpoint holds, if its files have the digests in its manifest.

    Raises:
        DataError: If it is no checkpoint or is damaged.
    """
    files = read_manifest(folder).get("files")
    for name in (_ARRAYS, _STATE):
        path = folder / name
        entry = files.get(name) if isinstance(files, dict) else None
        if not _is_plain(path) or entry != _described(path):
            raise DataError(f"{path} is not what its manifest says.")
    state = parse_json_object((folder / _STATE).read_bytes(), str(folder / _STATE))
    with open_safetensors(folder / _ARRAYS) as (groups, _):
        yield CheckpointFile(groups, state)


def _is_plain(path: Path) -> bool:
    # A link could name a file elsewhere.
    return path.is_file() and not path.is_symlink()


def _described(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}
