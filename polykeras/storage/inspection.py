"""What a file holds, told without building a model or reading an array."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from polykeras import dtypes
from polykeras.errors import ArgumentError, PolykerasError
from polykeras.registry import find_object
from polykeras.storage.archive import read_archive
from polykeras.storage.hdf5 import open_hdf5, part_names, read_groups
from polykeras.storage.json_data import parse_json_object
from polykeras.storage.legacy_h5 import is_legacy, legacy_config
from polykeras.storage.legacy_training import legacy_training
from polykeras.storage.safetensors_format import open_safetensors
from polykeras.storage.shards import open_shards
from polykeras.storage.stores import Store

__all__ = ["inspect_file"]


def inspect_file(filepath: str | Path) -> dict[str, Any]:
    """Return what a file holds, as plain data.

    Args:
        filepath: A ``.keras`` archive, a weights file, an ``.h5`` file, or a ``.json``
            file with the text of `Model.to_json`.

    Returns:
        ``path``, ``kind`` and ``bytes``; ``written_by``; ``model``, the architecture as
        nested layers, or None; ``training``, what `compile` was given, or None;
        ``weights``, a list with path, shape, dtype and bytes of every array;
        ``parameters``, their number without the optimizer's; and ``warnings``.

    Raises:
        ArgumentError: If there is no such file or its name ends otherwise.
        DataError: If it is damaged.
        UnsafeFileError: If it asks for what loading never grants.
    """
    path = Path(filepath)
    if not path.is_file():
        raise ArgumentError(f"There is no file {path}.")
    found: dict[str, Any] = {
        "path": str(path),
        "kind": "",
        "bytes": path.stat().st_size,
        "written_by": {},
        "model": None,
        "training": None,
        "weights": [],
        "warnings": [],
    }
    for suffix, look in _LOOK.items():
        if path.name.endswith(suffix):
            look(path, found)
            break
    else:
        raise ArgumentError(
            f"Cannot tell what {path.name!r} is. Known: {', '.join(_LOOK)}."
        )
    found["parameters"] = sum(
        math.prod(w["shape"])
        for w in found["weights"]
        if w["path"].split("/")[0] not in ("optimizer", "training")
    )
    return found


def _look_at_archive(path: Path, found: dict[str, Any]) -> None:
    with read_archive(path) as archive:
        found["kind"] = "whole model"
        found["written_by"] = {str(k): v for k, v in archive.metadata.items()}
        found["weights"] = _weights(archive.groups)
        training = archive.config.pop("compile_config", None)
        found["training"] = training or None
        _describe(archive.config, found)
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
            _describe(legacy_config(tree, str(path)), found)


def _look_at_safetensors(path: Path, found: dict[str, Any]) -> None:
    with open_safetensors(path) as (groups, metadata):
        found["kind"] = "weights"
        found["written_by"] = {k: v for k, v in metadata.items() if k != "names"}
        found["weights"] = _weights(groups)


def _look_at_json(path: Path, found: dict[str, Any]) -> None:
    config = parse_json_object(path.read_bytes(), str(path))
    found["kind"] = "architecture"
    found["training"] = config.pop("compile_config", None)
    _describe(config, found)


def _look_at_shards(path: Path, found: dict[str, Any]) -> None:
    with open_shards(path) as (groups, _):
        found["kind"] = "weights in several files"
        found["weights"] = _weights(groups)


_LOOK: Final = {
    ".keras": _look_at_archive,
    ".safetensors": _look_at_safetensors,
    ".weights.json": _look_at_shards,
    ".json": _look_at_json,
    ".h5": _look_at_h5,
    ".hdf5": _look_at_h5,
}


def _weights(groups: Mapping[str, Store]) -> list[dict[str, Any]]:
    found = []
    for where, store in groups.items():
        for key in store:
            lazy = store.described(key)
            width = dtypes.as_numpy_dtype(lazy.dtype).itemsize
            found.append(
                {
                    "path": f"{where}/{key}" if where else key,
                    "shape": list(lazy.shape),
                    "dtype": lazy.dtype,
                    "bytes": math.prod(lazy.shape) * width,
                }
            )
    return found


# -- architecture ----------------------------------------------------------------


def _describe(config: dict[str, Any], found: dict[str, Any]) -> None:
    found["model"] = _layer(config)
    unknown: set[str] = set()
    for data in _objects(config):
        name = data["class_name"]
        if name == "__lambda__":
            found["warnings"].append(
                "It holds the code of a lambda, which is never run: pass the function "
                "in custom_objects to load the model."
            )
        elif not _is_known(data):
            unknown.add(str(data.get("registered_name") or name))
    found["warnings"] += [
        f"The class or function {name!r} is not registered here: register it, or pass "
        "it in custom_objects."
        for name in sorted(unknown)
    ]


def _layer(data: Any) -> dict[str, Any]:
    """Return class, name and inner layers of the data of a layer."""
    config = data.get("config")
    config = config if isinstance(config, dict) else {}
    result: dict[str, Any] = {
        "class": data.get("class_name"),
        "name": config.get("name") or data.get("name"),
    }
    if isinstance(config.get("layers"), list):
        result["layers"] = [_layer(x) for x in config["layers"] if isinstance(x, dict)]
    inner = [
        _layer(v)
        for k, v in config.items()
        if k in ("layer", "backward_layer", "cell") and isinstance(v, dict)
    ]
    if inner:
        result["layers"] = inner
    return result


def _objects(data: Any) -> Iterator[dict[str, Any]]:
    stack = [data]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if isinstance(item.get("class_name"), str):
                yield item
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _is_known(data: dict[str, Any]) -> bool:
    name, module = data["class_name"], data.get("module")
    if name.startswith("__") or "ops" in str(module).split("."):
        return True
    wanted = data.get("config") if name == "function" else name
    for candidate in (data.get("registered_name"), wanted):
        if isinstance(candidate, str):
            try:
                find_object(candidate, module=module)
            except PolykerasError:
                continue
            return True
    return False
