"""Arrays in ``.safetensors`` files."""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from polykeras.backend import Array
from polykeras.errors import DataError, UnsafeFileError
from polykeras.storage.json_data import parse_json_object
from polykeras.storage.limits import check_shape, current_limits
from polykeras.storage.stores import LazyArray, Store

__all__ = ["open_safetensors", "split_name", "write_safetensors"]

# Names and bytes of the dtypes that the format has.
_DTYPES: Final = {
    "BOOL": ("bool", 1),
    "U8": ("uint8", 1),
    "I8": ("int8", 1),
    "F8_E4M3": ("float8_e4m3fn", 1),
    "F8_E5M2": ("float8_e5m2", 1),
    "U16": ("uint16", 2),
    "I16": ("int16", 2),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "U32": ("uint32", 4),
    "I32": ("int32", 4),
    "F32": ("float32", 4),
    "U64": ("uint64", 8),
    "I64": ("int64", 8),
    "F64": ("float64", 8),
    "C64": ("complex64", 8),
}
_LENGTH: Final = struct.Struct("<Q")


def write_safetensors(
    path: Path,
    groups: Mapping[str, Mapping[str, Array]],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write arrays, each under ``PATH/vars/KEY``.

    Args:
        path: The file.
        groups: Path of a part to its arrays by key.
        metadata: Texts for the header.
    """
    from safetensors.numpy import save_file

    flat = {
        f"{where}/vars/{key}" if where else f"vars/{key}": np.asarray(array, order="C")
        for where, store in groups.items()
        for key, array in store.items()
    }
    save_file(flat, path, metadata={"format": "polykeras", **(metadata or {})})


def split_name(name: str) -> tuple[str, str]:
    """Return the part and the key in the name of an array: ``"a/vars/0"``."""
    folder, _, key = name.rpartition("/")
    return folder.removesuffix("vars").rstrip("/"), key


@contextmanager
def open_safetensors(path: Path) -> Iterator[tuple[dict[str, Store], dict[str, str]]]:
    """Yield the arrays of a file by part, to be read in the block, and its texts.

    Raises:
        UnsafeFileError: If the header declares what the file does not hold.
        DataError: If it is no such file.
    """
    from safetensors import SafetensorError, safe_open

    metadata = _check_header(path)
    try:
        with safe_open(path, framework="numpy") as file:
            groups: dict[str, Store] = {}
            for name in file.keys():  # noqa: SIM118 the file is no mapping
                owner, key = split_name(name)
                part = file.get_slice(name)
                dtype = _DTYPES[part.get_dtype()][0]
                read = functools.partial(file.get_tensor, name)
                lazy = LazyArray(tuple(part.get_shape()), dtype, read)
                groups.setdefault(owner, Store())[key] = lazy
            yield groups, metadata
    except SafetensorError as error:
        raise DataError(f"{path} is no valid safetensors file: {error}") from error


def _check_header(path: Path) -> dict[str, str]:
    """Compare what the header declares with the bytes of the file."""
    size = path.stat().st_size
    limits = current_limits()
    with path.open("rb") as file:
        start = file.read(_LENGTH.size)
        length = _LENGTH.unpack(start)[0] if len(start) == _LENGTH.size else size
        if length > min(size - _LENGTH.size, limits.max_json_bytes):
            raise DataError(
                f"{path} is no valid safetensors file: it has {size:,} bytes, but its "
                f"header is said to have {length:,}."
            )
        header = parse_json_object(file.read(length), f"The header of {path}")
    metadata = header.pop("__metadata__", {})
    limits.check_count(len(header), str(path))
    room = size - _LENGTH.size - length
    for name, entry in header.items():
        limits.check_name(name, str(path))
        _check_entry(name, entry, room, path)
    if not isinstance(metadata, dict):
        metadata = {}
    return {str(k): str(v) for k, v in metadata.items()}


def _check_entry(name: str, entry: Any, room: int, path: Path) -> None:
    try:
        itemsize = _DTYPES[entry["dtype"]][1]
        sizes = [int(n) for n in entry["shape"]]
        begin, end = (int(n) for n in entry["data_offsets"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{path} describes the array {name[:80]!r} wrongly: {error!r}."
        ) from error
    check_shape(sizes, f"{path}: {name[:80]!r}")
    fits = 0 <= begin <= end <= room and all(n >= 0 for n in sizes)
    if not fits or math.prod(sizes) * itemsize != end - begin:
        raise UnsafeFileError(
            f"{path} declares the array {name[:80]!r} of shape {tuple(sizes)} at the "
            f"bytes {begin:,} to {end:,}, but holds {room:,} bytes of data."
        )
