"""Shapes and number types of HDF5, decoded from their messages."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from polykeras.errors import DataError
from polykeras.storage.limits import check_shape

__all__ = ["AttributeType", "array_type", "attribute_type", "count_of", "shape_of"]

_INTEGER, _FLOAT, _STRING, _OPAQUE, _COMPOUND, _ENUM, _VARIABLE = 0, 1, 3, 5, 6, 8, 9
_SCALAR, _NULL = 0, 2
_MAX_RANK: Final = 32
# Size in bytes to exponent and mantissa bits of the IEEE formats.
_IEEE: Final = {2: (5, 10), 4: (8, 23), 8: (11, 52)}


@dataclass(frozen=True)
class AttributeType:
    """How one element of an attribute is stored.

    Attributes:
        size: Bytes of an element.
        numpy: The type of a number; None for text.
        variable: Whether the text stands in a heap.
    """

    size: int
    numpy: np.dtype[Any] | None = None
    variable: bool = False


def shape_of(message: bytes) -> tuple[int, ...] | None:
    """Return the sizes of the axes, or None where there is no value.

    Raises:
        DataError: If the message is malformed, or no array can have the shape.
    """
    version, rank = message[0], message[1]
    if version not in (1, 2) or rank > _MAX_RANK:
        raise DataError(f"An HDF5 array has rank {rank} in version {version}.")
    if version == 2 and message[3] == _NULL:
        return None
    start = 8 if version == 1 else 4
    shape = struct.unpack_from(f"<{rank}Q", message, start)
    check_shape(shape, "An HDF5 array")
    return shape


def count_of(shape: tuple[int, ...]) -> int:
    """Return the number of elements."""
    return math.prod(shape)


def array_type(message: bytes) -> np.dtype[Any] | None:
    """Return the type of an array of numbers, or None for anything else.

    Two opaque bytes stand for bfloat16, which HDF5 does not know.
    """
    kind, size = message[0] & 15, struct.unpack_from("<I", message, 4)[0]
    if kind == _OPAQUE and size == 2:
        return np.dtype("V2")
    if kind == _ENUM:
        # Booleans, as h5py writes them.
        return np.dtype(bool) if size == 1 and b"FALSE\0" in message else None
    if kind == _COMPOUND:
        return _complex_type(message, size)
    return _number_type(message)


def _number_type(message: bytes) -> np.dtype[Any] | None:
    kind, flags = message[0] & 15, message[1]
    size = struct.unpack_from("<I", message, 4)[0]
    order = ">" if flags & 1 else "<"
    if kind == _INTEGER and size in (1, 2, 4, 8):
        offset, precision = struct.unpack_from("<HH", message, 8)
        if offset or precision != 8 * size:
            return None
        return np.dtype(f"{order}{'i' if flags & 8 else 'u'}{size}")
    if kind == _FLOAT and size in _IEEE:
        offset, precision, _, exponent, _, mantissa = struct.unpack_from(
            "<HHBBBB", message, 8
        )
        if offset or precision != 8 * size or _IEEE[size] != (exponent, mantissa):
            return None
        return np.dtype(f"{order}f{size}")
    return None


def _complex_type(message: bytes, size: int) -> np.dtype[Any] | None:
    """Return the type of h5py's complex numbers: a real and an imaginary part."""
    if size not in (8, 16) or b"r\0" not in message or b"i\0" not in message:
        return None
    half = struct.pack("<I", size // 2)
    parts = [i for i in range(len(message) - 8) if message[i + 4 : i + 8] == half]
    found = {_number_type(message[i:]) for i in parts if message[i] & 15 == _FLOAT}
    return np.dtype(f"<c{size}") if found == {np.dtype(f"<f{size // 2}")} else None


def attribute_type(message: bytes) -> AttributeType | None:
    """Return how an attribute's elements are stored, or None for unknown types."""
    kind, size = message[0] & 15, struct.unpack_from("<I", message, 4)[0]
    if kind == _STRING:
        return AttributeType(size)
    if kind == _VARIABLE and message[1] & 15 == 1 and size == 16:
        return AttributeType(size, variable=True)
    numpy = _number_type(message)
    return None if numpy is None else AttributeType(size, numpy)
