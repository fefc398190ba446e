"""Arrays in HDF5 files, in the layout of Keras' ``.weights.h5``.

An HDF5 file can point elsewhere (links, external storage, virtual datasets) and can
declare far more than it stores. Both are found before anything is read.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from polykeras.backend import Array
from polykeras.errors import DataError, UnsafeFileError
from polykeras.storage.limits import Limits, current_limits
from polykeras.storage.stores import LazyArray, Store

__all__ = ["datasets", "open_hdf5", "read_groups", "write_groups"]

# Booleans, integers, floats and complex numbers; and bfloat16, which HDF5 has no
# type for, as two opaque bytes with its name beside them.
_KINDS: Final = "biufc"
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
def open_hdf5(source: Path | BinaryIO | io.RawIOBase, what: str) -> Iterator[Any]:
    """Open an HDF5 file to read.

    Args:
        source: A path, or a file open for reading.
        what: Names it in messages.

    Raises:
        DataError: If it is no HDF5 file, or damaged where it is read in the block.
    """
    import h5py

    try:
        with h5py.File(source, "r") as file:
            yield file
    except DataError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        if not _from_h5py(error):
            raise
        raise DataError(f"{what} is no readable HDF5 file: {error}") from error


def _from_h5py(error: BaseException) -> bool:
    """Return whether h5py itself raised the error, rather than code that uses it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and "h5py" in trace.tb_frame.f_code.co_filename


def read_groups(file: Any, size: int, what: str) -> dict[str, Store]:
    """Return the arrays of an open weights file by part, to be read on demand.

    Args:
        file: An open HDF5 file.
        size: Its length in bytes.
        what: Names it in messages.

    Raises:
        UnsafeFileError: If the file refers elsewhere or declares too much.
    """
    groups: dict[str, Store] = {}
    for where, dataset in datasets(file, size, what):
        folder, _, key = where.rpartition("/")
        owner = folder.removesuffix("vars").rstrip("/")
        store = groups.setdefault(owner, Store())
        name = _dtype_name(dataset, f"{what}: {where!r}")
        store[key] = LazyArray(tuple(dataset.shape), name, _reader(dataset, name))
    return groups


def datasets(file: Any, size: int, what: str) -> Iterator[tuple[str, Any]]:
    """Yield path and dataset of all arrays in a file, checked.

    Args:
        file: An open HDF5 file.
        size: Its length in bytes.
        what: Names it in messages.

    Raises:
        UnsafeFileError: If the file refers elsewhere or declares too much.
    """
    import h5py

    limits = current_limits()
    total = count = 0
    seen: set[int] = set()
    stack: list[tuple[str, Any]] = [("", file)]
    while stack:
        where, group = stack.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:
            raise UnsafeFileError(f"{what} holds the group {where!r} twice.")
        seen.add(address)
        for key in group:
            full = f"{where}/{key}" if where else key
            count += 1
            limits.check_count(count, what)
            limits.check_name(full, what)
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise UnsafeFileError(
                    f"{what} holds a link at {full!r}. Links can lead to other files "
                    "and are refused."
                )
            item = group[key]
            if isinstance(item, h5py.Group):
                stack.append((full, item))
            elif isinstance(item, h5py.Dataset):
                total += _checked_bytes(item, limits, f"{what}: {full!r}")
                limits.check_size(total, size, what)
                yield full, item
            else:
                raise UnsafeFileError(
                    f"{what} holds {full!r}, which is neither a group nor an array."
                )


def _checked_bytes(dataset: Any, limits: Limits, what: str) -> int:
    """Return the size in memory of a dataset that is stored in the file itself."""
    if dataset.external or dataset.is_virtual:
        raise UnsafeFileError(
            f"{what} keeps its data in another file, which is refused."
        )
    if dataset.shape is None:
        raise UnsafeFileError(f"{what} holds no array.")
    declared = int(dataset.dtype.itemsize)
    for n in dataset.shape:
        declared *= int(n)
    stored = int(dataset.id.get_storage_size())
    if dataset.chunks is None and stored < declared:
        raise UnsafeFileError(
            f"{what} declares {declared:,} bytes of data but stores {stored:,}."
        )
    limits.check_size(declared, stored, what)
    return declared


def _dtype_name(dataset: Any, what: str) -> str:
    dtype = dataset.dtype
    if dtype.kind in _KINDS:
        return str(dtype.name)
    if dtype == _TWO_BYTES and dataset.attrs.get("dtype") == "bfloat16":
        return "bfloat16"
    raise UnsafeFileError(f"{what} holds data of the type {dtype}, not numbers.")


def _reader(dataset: Any, name: str) -> Callable[[], Array]:
    def read() -> Array:
        array = np.asarray(dataset[()])
        if name == "bfloat16":
            import ml_dtypes

            return array.view(ml_dtypes.bfloat16)
        return array

    return read
