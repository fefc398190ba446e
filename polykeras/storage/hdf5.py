"""Arrays in HDF5 files, in the layout of Keras' ``.weights.h5``."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np

from polykeras.backend import Array
from polykeras.errors import UnsafeFileError
from polykeras.storage.hdf5_reader import Hdf5Array, Hdf5Tree, read_tree
from polykeras.storage.stores import LazyArray, Store

__all__ = ["open_hdf5", "part_names", "read_groups", "write_groups"]

# HDF5 has no bfloat16: two opaque bytes, with the name beside them.
_TWO_BYTES: Final = np.dtype("V2")


def write_groups(
    target: Path | BinaryIO,
    groups: Mapping[str, Mapping[str, Array]],
    names: Mapping[str, str],
) -> None:
    """Write arrays as Keras lays them out: each part's under ``PATH/vars``.

    Args:
        target: A path, or a file open for reading and writing.
        groups: Path of a part to its arrays by key.
        names: Path of a part to its name.
    """
    import h5py

    with h5py.File(target, "w") as file:
        for where, store in groups.items():
            group = file.create_group(f"{where}/vars" if where else "vars")
            group.attrs["name"] = names.get(where, where)
            for key, array in store.items():
                if array.dtype.name == "bfloat16":
                    data = group.create_dataset(key, data=array.view(_TWO_BYTES))
                    data.attrs["dtype"] = array.dtype.name
                else:
                    group.create_dataset(key, data=array)


@contextmanager
def open_hdf5(source: Path | BinaryIO | io.RawIOBase, what: str) -> Iterator[Hdf5Tree]:
    """Yield what an HDF5 file holds; its arrays can be read in the block.

    Args:
        source: A path, or a file open for reading.
        what: Names it in messages.

    Raises:
        UnsafeFileError: If it refers elsewhere or declares more than it holds.
        DataError: If it is no HDF5 file or damaged.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield read_tree(file, source.stat().st_size, what)
        return
    opened = cast("BinaryIO", source)
    yield read_tree(opened, opened.seek(0, io.SEEK_END), what)


def read_groups(tree: Hdf5Tree, what: str) -> dict[str, Store]:
    """Return the arrays of a weights file by part, to be read on demand.

    Args:
        tree: What the file holds.
        what: Names it in messages.

    Raises:
        UnsafeFileError: If an array holds no numbers.
    """
    groups: dict[str, Store] = {}
    for where, array in tree.arrays.items():
        folder, _, key = where.rpartition("/")
        owner = folder.removesuffix("vars").rstrip("/")
        store = groups.setdefault(owner, Store())
        name = _dtype_name(array, f"{what}: {where!r}")
        read = functools.partial(_read, array, name)
        store[key] = LazyArray(array.shape, name, read)
    return groups


def part_names(tree: Hdf5Tree) -> dict[str, str]:
    """Return the path of each part to the name that the file gives it."""
    names: dict[str, str] = {}
    for where, attributes in tree.groups.items():
        folder, _, last = where.rpartition("/")
        if last == "vars" and isinstance(attributes.get("name"), str):
            names[folder] = attributes["name"]
    return names


def _dtype_name(array: Hdf5Array, what: str) -> str:
    if array.dtype != _TWO_BYTES:
        return array.dtype.name
    if array.attributes.get("dtype") == "bfloat16":
        return "bfloat16"
    raise UnsafeFileError(f"{what} holds data of an unknown type, not numbers.")


def _read(array: Hdf5Array, name: str) -> Array:
    found = array.read()
    if name == "bfloat16":
        import ml_dtypes

        return found.view(ml_dtypes.bfloat16)
    return found.astype(found.dtype.newbyteorder("="), copy=False)
