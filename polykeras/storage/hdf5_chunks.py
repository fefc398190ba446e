"""Arrays that HDF5 stores in pieces, packed or not, from untrusted bytes.

Reference: The HDF Group, "HDF5 File Format Specification Version 3.0", sections III.A
(B-trees of chunks), IV.A.2.i (data layout), IV.A.2.l (filter pipeline).
"""

from __future__ import annotations

import itertools
import math
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from polykeras.backend import Array
from polykeras.errors import DataError, UnsafeFileError

__all__ = ["ChunkKey", "Chunks", "filters_of", "grid_of", "key_size"]

_DEFLATE, _SHUFFLE = 1, 2
_FILTERS: Final = {_DEFLATE: "deflate", _SHUFFLE: "shuffle"}
_KEY: Final = struct.Struct("<II")


def grid_of(body: bytes, rank: int, itemsize: int) -> tuple[tuple[int, ...], int]:
    """Return the shape of the pieces and the address of their tree.

    Args:
        body: The layout message of an array in pieces, in version 3.
        rank: Number of the array's axes.
        itemsize: Bytes of an entry.

    Raises:
        DataError: If it does not fit the array.
    """
    count, address = struct.unpack_from("<BQ", body, 2)
    sizes = struct.unpack_from(f"<{count}I", body, 11)
    if count != rank + 1 or sizes[-1] != itemsize or 0 in sizes:
        raise DataError(f"The pieces of an HDF5 array have the shape {sizes}.")
    return sizes[:-1], address


def filters_of(body: bytes, what: str) -> list[int]:
    """Return the filters that the pieces went through, first to last.

    Raises:
        DataError: If there is one that is not known.
    """
    version, count = body[0], body[1]
    if version not in (1, 2):
        raise DataError(f"{what} is packed in version {version}.")
    at = 8 if version == 1 else 2
    found = []
    for _ in range(count):
        kind = struct.unpack_from("<H", body, at)[0]
        at += 2
        name = 0
        if version == 1 or kind >= 256:
            name = struct.unpack_from("<H", body, at)[0]
            at += 2
        values = struct.unpack_from("<HH", body, at)[1]
        at += 4 + name + 4 * (values + (values % 2 if version == 1 else 0))
        if kind not in _FILTERS:
            raise DataError(
                f"{what} is packed by the filter {kind}; known are "
                f"{' and '.join(_FILTERS.values())}. Unpack the file: "
                "h5repack -f NONE -l CONTI packed.h5 unpacked.h5"
            )
        found.append(kind)
    return found


@dataclass(frozen=True)
class ChunkKey:
    """Where a piece belongs and how it is stored.

    Attributes:
        start: Its first entry.
        address: Where its bytes are.
        stored: Their number.
        skipped: Bits of the filters that it did not go through.
    """

    start: tuple[int, ...]
    address: int
    stored: int
    skipped: int

    @classmethod
    def read(cls, raw: bytes, rank: int, address: int) -> ChunkKey:
        """Return the key in a node of a tree, with the address beside it."""
        stored, skipped = _KEY.unpack_from(raw)
        start = struct.unpack_from(f"<{rank}Q", raw, _KEY.size)
        return cls(start, address, stored, skipped)


def key_size(rank: int) -> int:
    """Return the bytes of a key in a tree."""
    return _KEY.size + 8 * (rank + 1)


@dataclass
class Chunks:
    """The pieces of an array.

    Args:
        shape: Of the array.
        dtype: Of the stored bytes.
        grid: Shape of a piece.
        filters: What the pieces went through.
        what: Names the array in messages.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    grid: tuple[int, ...]
    filters: Sequence[int]
    what: str

    @property
    def counts(self) -> tuple[int, ...]:
        """The number of pieces along each axis."""
        pairs = zip(self.shape, self.grid, strict=True)
        return tuple(-(-size // piece) for size, piece in pairs)

    @property
    def piece_bytes(self) -> int:
        """The bytes of a piece, unpacked."""
        return math.prod(self.grid) * self.dtype.itemsize

    def check(self, keys: Sequence[ChunkKey]) -> None:
        """Compare the pieces that a file holds with those that the array needs.

        Raises:
            DataError: If one is missing, twice there, or elsewhere.
        """
        if len(keys) != math.prod(self.counts):
            raise self._incomplete(len(keys))
        wanted = itertools.product(
            *(
                range(0, count * piece, piece)
                for count, piece in zip(self.counts, self.grid, strict=True)
            )
        )
        if sorted(k.start for k in keys) != list(wanted):
            raise self._incomplete(len(keys))
        for key in keys:
            packed = any(not key.skipped >> i & 1 for i in range(len(self.filters)))
            if not packed and key.stored != self.piece_bytes:
                raise DataError(f"{self.what} has a piece of {key.stored:,} bytes.")

    def _incomplete(self, count: int) -> DataError:
        return DataError(
            f"{self.what} needs {math.prod(self.counts):,} pieces of the shape "
            f"{self.grid}, but the file holds {count:,}, or others."
        )

    def read(self, keys: Sequence[ChunkKey], at: Callable[[int, int], bytes]) -> Array:
        """Return the array.

        Args:
            keys: All pieces.
            at: Returns bytes at an address.
        """
        out = np.empty(self.shape, self.dtype)
        for key in keys:
            raw = self._unpacked(at(key.address, key.stored), key.skipped)
            piece = np.frombuffer(raw, self.dtype).reshape(self.grid)
            place = tuple(
                slice(a, min(a + n, size))
                for a, n, size in zip(key.start, self.grid, self.shape, strict=True)
            )
            # Pieces at the end reach beyond the array.
            out[place] = piece[tuple(slice(0, s.stop - s.start) for s in place)]
        return out

    def _unpacked(self, raw: bytes, skipped: int) -> bytes:
        for i, kind in reversed(list(enumerate(self.filters))):
            if skipped >> i & 1:
                continue
            raw = self._inflated(raw) if kind == _DEFLATE else self._unshuffled(raw)
        if len(raw) != self.piece_bytes:
            raise DataError(f"{self.what} has a piece of {len(raw):,} bytes.")
        return raw

    def _inflated(self, raw: bytes) -> bytes:
        unpacker = zlib.decompressobj()
        try:
            found = unpacker.decompress(raw, self.piece_bytes + 1)
        except zlib.error as error:
            raise DataError(f"{self.what} has a damaged piece: {error}") from error
        if len(found) > self.piece_bytes:
            raise UnsafeFileError(
                f"{self.what} has a piece that unpacks to more than its "
                f"{self.piece_bytes:,} bytes."
            )
        return found

    def _unshuffled(self, raw: bytes) -> bytes:
        """Undo the sorting of bytes by their place in an entry."""
        width = self.dtype.itemsize
        if len(raw) % width:
            raise DataError(f"{self.what} has a piece of {len(raw):,} bytes.")
        return np.frombuffer(raw, np.uint8).reshape(width, -1).T.tobytes()
