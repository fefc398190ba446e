"""What a file holds, told without building a model or reading an array."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from polykeras import dtypes
from polykeras.errors import ArgumentError, DataError
from polykeras.storage.architecture import architecture
from polykeras.storage.archive import read_archive
from polykeras.storage.checkpoint_files import (
    checkpoint_folder,
    checkpoint_numbers,
    is_checkpoint,
    open_checkpoint,
    read_manifest,
)
from polykeras.storage.dump_files import is_dump, open_dump
from polykeras.storage.hdf5 import open_hdf5, part_names, read_groups
from polykeras.storage.json_data import parse_json_object
from polykeras.storage.legacy_h5 import is_legacy, legacy_config
from polykeras.storage.legacy_training import legacy_training
from polykeras.storage.onnx_files import describe_onnx
from polykeras.storage.safetensors_format import open_safetensors
from polykeras.storage.shards import open_shards
from polykeras.storage.stores import LazyArray, Store

__all__ = ["inspect_file"]

# Where the paths of arrays of a dump begin.
_DUMPED: Final = "compared"
# What begins the paths of arrays that are no parameters of a model.
_NO_PARAMETERS: Final = ("optimizer", "training", _DUMPED)


def inspect_file(filepath: str | Path) -> dict[str, Any]:
    """Return what a file holds, as plain data.

    Args:
        filepath: A ``.keras`` archive, a weights file, an ``.h5`` file, a ``.json``
            file with the text of `Model.to_json`, an ``.onnx`` file, a dump of
            `polykeras compare`, or a folder of checkpoints or one of them.

    Returns:
        ``path``, ``kind`` and ``bytes``; ``written_by``; ``model``, the architecture as
        nested layers, or None; ``training``, what `compile` was given, or None;
        ``weights``, a list with path, shape, dtype and bytes of every array;
        ``parameters``, their number without the optimizer's; ``details``, what only
        this kind of file tells; and ``warnings``. Of several checkpoints, the arrays
        are those of the newest one that is whole.

    Raises:
        ArgumentError: If there is no such file, or it is of no known kind.
        DataError: If it is damaged.
        UnsafeFileError: If it asks for what loading never grants.
    """
    path = Path(filepath)
    if not path.exists():
        raise ArgumentError(f"There is no file {path}.")
    found: dict[str, Any] = {
        "path": str(path),
        "kind": "",
        "bytes": _size(path),
        "written_by": {},
        "model": None,
        "training": None,
        "weights": [],
        "parameters": 0,
        "details": {},
        "warnings": [],
    }
    _look(path)(path, found)
    found["parameters"] = sum(
        math.prod(w["shape"])
        for w in found["weights"]
        if w["path"].split("/")[0] not in _NO_PARAMETERS
    )
    return found


def _look(path: Path) -> Callable[[Path, dict[str, Any]], None]:
    """Return what looks at a file of that kind."""
    if path.is_dir():
        if is_checkpoint(path):
            return _look_at_checkpoint
        if checkpoint_numbers(path):
            return _look_at_checkpoints
        raise ArgumentError(f"The folder {path} holds no checkpoints.")
    for suffix, look in _LOOK.items():
        if path.name.endswith(suffix):
            return look
    if is_dump(path):
        return _look_at_dump
    raise ArgumentError(
        f"Cannot tell what {path.name!r} is. Known: {', '.join(_LOOK)}, dumps of "
        "polykeras compare, and folders of checkpoints."
    )


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(p.stat().st_size for p in files if p.is_file() and not p.is_symlink())


def _look_at_archive(path: Path, found: dict[str, Any]) -> None:
    with read_archive(path) as archive:
        found["kind"] = "whole model"
        found["written_by"] = {str(k): v for k, v in archive.metadata.items()}
        found["weights"] = _weights(archive.groups)
        training = archive.config.pop("compile_config", None)
        found["training"] = training or None
        _tell_architecture(archive.config, found)
        found["warnings"] += [
            f"The member {name!r} of the archive is not used."
            for name in archive.unknown
        ]


def _look_at_h5(path: Path, found: dict[str, Any]) -> None:
    with open_hdf5(path, str(path)) as tree:
        found["weights"] = _weights(read_groups(tree, str(path)))
        if not is_legacy(tree):
            found["kind"] = "weights"
            names = part_names(tree)
            found["warnings"] += [] if names else ["The file names no layers."]
            return
        root = tree.groups.get("model_weights", tree.groups[""])
        found["written_by"] = {
            k: root[k] for k in ("keras_version", "backend") if k in root
        }
        found["kind"] = "weights of Keras 2"
        if "model_config" in tree.groups[""]:
            found["kind"] = "whole model of Keras 2"
            found["training"] = legacy_training(tree, str(path))
            _tell_architecture(legacy_config(tree, str(path)), found)


def _look_at_safetensors(path: Path, found: dict[str, Any]) -> None:
    with open_safetensors(path) as (groups, metadata):
        found["kind"] = "weights"
        found["written_by"] = {k: v for k, v in metadata.items() if k != "names"}
        found["weights"] = _weights(groups)


def _look_at_json(path: Path, found: dict[str, Any]) -> None:
    config = parse_json_object(path.read_bytes(), str(path))
    found["kind"] = "architecture"
    found["training"] = config.pop("compile_config", None)
    _tell_architecture(config, found)


def _look_at_shards(path: Path, found: dict[str, Any]) -> None:
    with open_shards(path) as (groups, _):
        found["kind"] = "weights in several files"
        found["weights"] = _weights(groups)


def _look_at_onnx(path: Path, found: dict[str, Any]) -> None:
    found["kind"] = "ONNX graph"
    found |= describe_onnx(path)


def _look_at_dump(path: Path, found: dict[str, Any]) -> None:
    with open_dump(path) as file:
        found["kind"] = "dump of a comparison"
        found["written_by"] = {"engine": file.engine, "environment": file.environment}
        kinds = Counter(str(said["kind"]) for said, _ in file.entries)
        found["details"] = {"model": file.model, "arrays": dict(kinds)}
        found["weights"] = [
            _described(f"{_DUMPED}/{said['mode']}/{said['kind']}/{said['name']}", lazy)
            for said, lazy in file.entries
        ]


def _look_at_checkpoint(path: Path, found: dict[str, Any]) -> None:
    found["kind"] = "checkpoint"
    with open_checkpoint(path) as file:
        found["weights"] = _weights(file.groups)
        found["details"] = _run(file.state)
    found["details"]["logs"] = read_manifest(path).get("logs")


def _look_at_checkpoints(path: Path, found: dict[str, Any]) -> None:
    found["kind"] = "folder of checkpoints"
    listed = []
    for number in checkpoint_numbers(path):
        folder = checkpoint_folder(path, number)
        one: dict[str, Any] = {"weights": found["weights"], "details": {}}
        problem = None
        try:
            _look_at_checkpoint(folder, one)
        except DataError as error:
            problem = str(error)
            found["warnings"].append(problem)
        found["weights"] = one["weights"]
        listed.append({"name": folder.name, "whole": problem is None, **one["details"]})
    found["details"] = {"checkpoints": listed}


def _run(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a checkpoint was made."""
    callbacks = state.get("callbacks")
    names = [
        str(c.get("class_name"))
        for c in (callbacks if isinstance(callbacks, list) else [])
        if isinstance(c, dict)
    ]
    told = {k: state.get(k) for k in ("epoch", "batch", "hook", "stop_training")}
    return {"model": state.get("name"), **told, "callbacks": names}


# Endings of files to what looks at them; the longer ones come first.
_LOOK: Final[dict[str, Callable[[Path, dict[str, Any]], None]]] = {
    ".keras": _look_at_archive,
    ".safetensors": _look_at_safetensors,
    ".weights.json": _look_at_shards,
    ".json": _look_at_json,
    ".h5": _look_at_h5,
    ".hdf5": _look_at_h5,
    ".onnx": _look_at_onnx,
}


def _tell_architecture(config: dict[str, Any], found: dict[str, Any]) -> None:
    found["model"], warnings = architecture(config)
    found["warnings"] += warnings


def _weights(groups: Mapping[str, Store]) -> list[dict[str, Any]]:
    return [
        _described(f"{where}/{key}" if where else key, store.described(key))
        for where, store in groups.items()
        for key in store
    ]


def _described(path: str, lazy: LazyArray) -> dict[str, Any]:
    width = dtypes.as_numpy_dtype(lazy.dtype).itemsize
    return {
        "path": path,
        "shape": list(lazy.shape),
        "dtype": lazy.dtype,
        "bytes": math.prod(lazy.shape) * width,
    }
