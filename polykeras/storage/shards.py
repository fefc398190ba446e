"""Weights in several files with an index: ``NAME.weights.json``, as Keras lays it out.

The index names the files that hold each part. Every set of files has names of its own,
and the index is renamed over the one before when all of them have reached the disk, so
that whenever a run ends, the old set or the new one is whole.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from polykeras.backend import Array
from polykeras.errors import ArgumentError, DataError, UnsafeFileError
from polykeras.storage.atomic import atomic_path, remove_abandoned
from polykeras.storage.hdf5 import open_hdf5, part_names, read_groups, write_groups
from polykeras.storage.json_data import parse_json_object
from polykeras.storage.limits import current_limits
from polykeras.storage.stores import Store

__all__ = ["open_shards", "write_shards"]

_SUFFIX: Final = ".weights.json"
_GIGABYTE: Final = 10**9
# The files of a set: NAME_TOKEN_NUMBER.weights.h5.
_OWN_NAME: Final = r"_[0-9a-f]{12}_\d{5,}\.weights\.h5"
_PLAIN_NAME: Final = re.compile(r"[^/\\\0]{1,200}\.weights\.h5")


def write_shards(
    path: Path,
    groups: Mapping[str, Mapping[str, Array]],
    names: Mapping[str, str],
    max_shard_size: float,
) -> None:
    """Write the arrays to files of a largest size, and the index.

    Args:
        path: The index.
        groups: Path of a part to its arrays by key.
        names: Path of a part to its name.
        max_shard_size: In gigabytes, 10**9 bytes.

    Raises:
        ArgumentError: If an array is larger than a file may be.
    """
    shards = _divided(groups, max_shard_size * _GIGABYTE)
    before = _indexed_files(path)
    stem = path.name.removesuffix(_SUFFIX)
    first = path.with_name(f"{stem}_00000.weights.h5")
    if not first.exists():
        _write_first(first)
    token = secrets.token_hex(6)
    weight_map: dict[str, list[str]] = {}
    for number, shard in enumerate(shards):
        file = path.with_name(f"{stem}_{token}_{number:05d}.weights.h5")
        with atomic_path(file) as temporary:
            write_groups(temporary, shard, names)
        for where in shard:
            place = f"/{where}/vars" if where else "/vars"
            weight_map.setdefault(place, []).append(file.name)
    total = sum(a.nbytes for store in groups.values() for a in store.values())
    index = {"metadata": {"total_size": float(total)}, "weight_map": weight_map}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(index, indent=4))
    if first.name in before:
        _write_first(first)
    _remove(path, stem, token, before - {first.name})


def _write_first(file: Path) -> None:
    """Write the file that Keras opens before it looks into the index: no arrays."""
    with atomic_path(file) as temporary:
        write_groups(temporary, {}, {})


def _remove(path: Path, stem: str, token: str, before: set[str]) -> None:
    """Remove the files of the set before, and of sets that were never finished."""
    own = re.compile(re.escape(stem) + _OWN_NAME)
    for file in list(path.parent.iterdir()):
        found = file.name in before or own.fullmatch(file.name)
        if found and not file.name.startswith(f"{stem}_{token}_"):
            file.unlink(missing_ok=True)
    remove_abandoned(path.parent, f"{stem}_", more=True)


def _divided(
    groups: Mapping[str, Mapping[str, Array]], limit: float
) -> list[dict[str, dict[str, Array]]]:
    """Return the arrays of each file; a part may go on in the next one."""
    if not limit > 0:
        raise ArgumentError(
            f"max_shard_size must be positive, got {limit / _GIGABYTE}."
        )
    shards: list[dict[str, dict[str, Array]]] = [{}]
    used = 0
    for where, store in groups.items():
        for key, array in store.items():
            if array.nbytes > limit:
                raise ArgumentError(
                    f"The array {f'{where}/{key}'.lstrip('/')!r} has "
                    f"{array.nbytes:,} bytes, more than "
                    f"max_shard_size={limit / _GIGABYTE} gigabytes. Raise it."
                )
            if used + array.nbytes > limit:
                shards.append({})
                used = 0
            shards[-1].setdefault(where, {})[key] = array
            used += array.nbytes
    return shards


def _indexed_files(path: Path) -> set[str]:
    """Return the files of an index that is there already, if it is a valid one."""
    if not path.is_file():
        return set()
    try:
        return {n for names in _index(path).values() for n in names}
    except DataError:
        return set()


def _index(path: Path) -> dict[str, list[str]]:
    """Return the files that hold each part."""
    data = parse_json_object(path.read_bytes(), str(path))
    weight_map = data.get("weight_map")
    if not isinstance(weight_map, dict):
        raise DataError(f"{path} is no index of weights: it lacks a weight_map.")
    current_limits().check_count(len(weight_map), str(path))
    found: dict[str, list[str]] = {}
    for where, files in weight_map.items():
        listed = [files] if isinstance(files, str) else files
        if not isinstance(listed, list):
            raise DataError(f"{path} does not list the files of {where!r}.")
        for name in listed:
            if not isinstance(name, str) or not _PLAIN_NAME.fullmatch(name):
                raise UnsafeFileError(
                    f"{path} names the file {str(name)[:80]!r}. The files of an index "
                    "lie beside it and end in .weights.h5."
                )
        found[where] = listed
    return found


@contextmanager
def open_shards(path: Path) -> Iterator[tuple[dict[str, Store], dict[str, str]]]:
    """Yield the arrays of all files of an index by part, and the parts' names.

    Raises:
        UnsafeFileError: If the index names a file elsewhere.
        DataError: If a file is missing or damaged.
    """
    files = sorted({name for listed in _index(path).values() for name in listed})
    groups: dict[str, Store] = {}
    names: dict[str, str] = {}
    with ExitStack() as stack:
        for name in files:
            file = path.with_name(name)
            if file.is_symlink() or not file.is_file():
                raise DataError(f"{path} names the file {name!r}, which is not there.")
            tree: Any = stack.enter_context(open_hdf5(file, str(file)))
            names |= part_names(tree)
            for where, store in read_groups(tree, str(file)).items():
                own = groups.setdefault(where, Store())
                for key, value in store.items():
                    own[key] = value
        yield groups, names
