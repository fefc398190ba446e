"""Read the part of HDF5 that weights files use, from untrusted bytes.

The HDF5 library was written for files that one trusts: made-up ones have sent it into
endless loops. This reader knows what h5py writes by default, symbol-table groups and
arrays of numbers, in one block or in pieces that may be deflated and shuffled, and
nothing that refers to other files. Every address is checked against the file's real
size, and nothing is visited twice.

Reference: The HDF Group, "HDF5 File Format Specification Version 3.0", sections II.A
(superblock), III.A-D (B-trees, symbol tables, heaps), IV.A (object headers).
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

import numpy as np

from polykeras.backend import Array
from polykeras.errors import DataError, UnsafeFileError
from polykeras.storage import hdf5_types as types
from polykeras.storage.hdf5_chunks import (
    ChunkKey,
    Chunks,
    filters_of,
    grid_of,
    key_size,
)
from polykeras.storage.limits import current_limits

__all__ = ["Hdf5Array", "Hdf5Tree", "read_tree"]

_SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_UNDEFINED: Final = 0xFFFFFFFFFFFFFFFF
_SOFT_LINK: Final = 2
# Kinds of messages in an object header.
_SPACE, _TYPE, _EXTERNAL, _LAYOUT, _ATTRIBUTE = 0x01, 0x03, 0x07, 0x08, 0x0C
_FILTERS, _CONTINUED, _TABLE = 0x0B, 0x10, 0x11
_NEWER_GROUP: Final = (0x02, 0x06)
# How the bytes of an array are stored.
_COMPACT, _CONTIGUOUS, _CHUNKED, _VIRTUAL = 0, 1, 2, 3
_GROUP_TREE, _CHUNK_TREE = 0, 1
_MAX_ATTRIBUTE: Final = 64 << 20


@dataclass
class Hdf5Array:
    """An array in a file, unread.

    Attributes:
        shape: Sizes of the axes.
        dtype: Type of the stored bytes.
        attributes: Names to texts, numbers or arrays.
        read: Returns the array.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attributes: dict[str, Any]
    read: Callable[[], Array]


@dataclass
class Hdf5Tree:
    """What a file holds.

    Attributes:
        groups: Path of each group to its attributes; the root's path is empty.
        arrays: Path of each array to it.
    """

    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    arrays: dict[str, Hdf5Array] = field(default_factory=dict)


def read_tree(file: BinaryIO, size: int, what: str) -> Hdf5Tree:
    """Return the groups and arrays of a file.

    Args:
        file: Open for reading, and as long as arrays are read.
        size: Its length in bytes.
        what: Names it in messages.

    Raises:
        UnsafeFileError: If it refers elsewhere or declares more than it holds.
        DataError: If it is no HDF5 file of the kind that h5py writes by default.
    """
    source = _File(file, size, what)
    try:
        return _Walk(source).run()
    except (struct.error, UnicodeDecodeError, IndexError, OverflowError) as error:
        raise DataError(f"{what} is a damaged HDF5 file: {error}") from error


class _File:
    """Bytes by address, checked."""

    def __init__(self, file: BinaryIO, size: int, what: str) -> None:
        self._file = file
        self.size = size
        self.what = what

    def at(self, address: int, length: int) -> bytes:
        if address < 0 or length < 0 or address + length > self.size:
            raise DataError(
                f"{self.what} is a damaged HDF5 file: it refers to {length:,} bytes at "
                f"{address:,}, but has {self.size:,}."
            )
        self._file.seek(address)
        raw = self._file.read(length)
        if len(raw) != length:
            raise DataError(f"{self.what} ends before byte {address + length:,}.")
        return raw

    def numbers(self, layout: str, address: int) -> tuple[Any, ...]:
        return struct.unpack(layout, self.at(address, struct.calcsize(layout)))

    def damaged(self, reason: str) -> DataError:
        return DataError(
            f"{self.what} is no HDF5 file of the kind that weights are kept in: "
            f"{reason}. If a program rewrote it, save the weights again with h5py's "
            "defaults, or use h5repack -f NONE -l CONTI old.h5 new.h5"
        )


class _Walk:
    """Visits all objects once."""

    def __init__(self, file: _File) -> None:
        self._file = file
        self._tree = Hdf5Tree()
        self._seen: set[int] = set()
        self._objects = 0
        self._total = 0
        self._limits = current_limits()

    def run(self) -> Hdf5Tree:
        stack = [("", self._root())]
        while stack:
            where, address = stack.pop()
            self._visit(address, where)
            messages = list(self._messages(address))
            kinds = {kind for kind, _ in messages}
            attributes = self._attributes(messages)
            if _TABLE in kinds:
                self._tree.groups[where] = attributes
                body = next(body for kind, body in messages if kind == _TABLE)
                tree, heap = struct.unpack("<QQ", body[:16])
                for name, child in self._entries(tree, heap, where):
                    stack.append((f"{where}/{name}" if where else name, child))
            elif kinds.intersection(_NEWER_GROUP):
                raise UnsafeFileError(
                    f"{self._file.what} keeps the group {where!r} in a form whose "
                    "links can lead to other files, which is refused."
                )
            elif _LAYOUT in kinds:
                self._tree.arrays[where] = self._array(messages, attributes, where)
            else:
                raise self._file.damaged(f"{where!r} is neither a group nor an array")
        return self._tree

    def _root(self) -> int:
        if self._file.at(0, 8) != _SIGNATURE:
            raise DataError(f"{self._file.what} is no HDF5 file.")
        version, offsets, lengths = (self._file.at(i, 1)[0] for i in (8, 13, 14))
        if version > 1 or offsets != 8 or lengths != 8:
            raise self._file.damaged(f"its superblock has version {version}")
        start = 24 if version == 0 else 28
        base = self._file.numbers("<Q", start)[0]
        if base != 0:
            raise self._file.damaged(f"its data begin at {base}")
        return int(self._file.numbers("<QQ", start + 32)[1])

    def _visit(self, address: int, what: str) -> None:
        if address in self._seen:
            raise UnsafeFileError(f"{self._file.what} holds {what!r} twice.")
        self._seen.add(address)

    # -- object headers --------------------------------------------------------

    def _messages(self, address: int) -> Iterator[tuple[int, bytes]]:
        version, _, _, _, length = self._file.numbers("<BBHII", address)
        if version != 1:
            raise self._file.damaged(f"an object header has version {version}")
        blocks = [(address + 16, length)]
        while blocks:
            start, length = blocks.pop(0)
            block = self._file.at(start, length)
            at = 0
            while at + 8 <= length:
                kind, size = struct.unpack_from("<HH", block, at)
                body = block[at + 8 : at + 8 + size]
                at += 8 + size
                if kind == _CONTINUED:
                    where, more = struct.unpack("<QQ", body[:16])
                    self._visit(where, "a header")
                    blocks.append((where, more))
                elif kind:
                    yield kind, body

    def _attributes(self, messages: list[tuple[int, bytes]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for kind, body in messages:
            if kind == _ATTRIBUTE:
                name, value = self._attribute(body)
                found[name] = value
        return found

    def _attribute(self, body: bytes) -> tuple[str, Any]:
        version, _, *sizes = struct.unpack("<BBHHH", body[:8])
        if version not in (1, 2, 3):
            raise self._file.damaged(f"an attribute has version {version}")
        at = 8 if version < 3 else 9
        parts = []
        for size in sizes:
            parts.append(body[at : at + size])
            at += -(-size // 8) * 8 if version == 1 else size
        name = parts[0].split(b"\0")[0].decode()
        self._limits.check_name(name, self._file.what)
        shape = types.shape_of(parts[2])
        if shape is None:
            return name, None
        dtype = types.attribute_type(parts[1])
        if dtype is None:
            return name, None
        count = types.count_of(shape)
        raw = body[at:]
        if count * dtype.size > len(raw) or count * dtype.size > _MAX_ATTRIBUTE:
            raise self._file.damaged(f"the attribute {name!r} is cut off")
        values = [
            self._value(dtype, raw[i * dtype.size : (i + 1) * dtype.size])
            for i in range(count)
        ]
        return name, values if shape else values[0]

    def _value(self, dtype: types.AttributeType, raw: bytes) -> Any:
        if dtype.numpy is not None:
            return np.frombuffer(raw, dtype.numpy)[0].item()
        if dtype.variable:
            length, collection, index = struct.unpack("<IQI", raw)
            raw = self._from_heap(collection, index)[:length] if length else b""
        return raw.split(b"\0")[0].decode("utf-8", "replace")

    def _from_heap(self, address: int, wanted: int) -> bytes:
        """Return an object of a global heap, where texts of any length stand."""
        if self._file.at(address, 4) != b"GCOL":
            raise self._file.damaged("a heap is missing")
        end = address + self._file.numbers("<Q", address + 8)[0]
        at = address + 16
        while at + 16 <= end:
            index, _, _, size = self._file.numbers("<HHIQ", at)
            if index == 0:
                break
            if index == wanted:
                return self._file.at(at + 16, min(size, _MAX_ATTRIBUTE))
            at += 16 + -(-size // 8) * 8
        raise self._file.damaged(f"object {wanted} of a heap is missing")

    # -- groups ----------------------------------------------------------------

    def _entries(self, tree: int, heap: int, where: str) -> Iterator[tuple[str, int]]:
        if self._file.at(heap, 4) != b"HEAP":
            raise self._file.damaged(f"the names of {where!r} are missing")
        size, _, segment = self._file.numbers("<QQQ", heap + 8)
        names = self._file.at(segment, size)
        for node in self._leaves(tree, where):
            signature, _, _, count = self._file.numbers("<4sBBH", node)
            if signature != b"SNOD":
                raise self._file.damaged(f"the table of {where!r} is missing")
            for i in range(count):
                offset, address, kind = self._file.numbers("<QQI", node + 8 + 40 * i)
                if offset >= len(names):
                    raise self._file.damaged(f"a name in {where!r} is missing")
                name = names[offset:].split(b"\0", 1)[0].decode()
                if kind == _SOFT_LINK:
                    raise UnsafeFileError(
                        f"{self._file.what} holds a link at {where}/{name}. Links "
                        "are refused."
                    )
                if not name or "/" in name:
                    raise self._file.damaged(f"{where!r} holds the name {name!r}")
                self._objects += 1
                self._limits.check_count(self._objects, self._file.what)
                self._limits.check_name(f"{where}/{name}", self._file.what)
                yield name, address

    def _leaves(self, address: int, where: str) -> Iterator[int]:
        for pairs in self._nodes(address, _GROUP_TREE, 8, f"the tree of {where!r}"):
            for _, child in pairs:
                self._visit(child, f"a table of {where}")
                yield child

    def _nodes(
        self, address: int, kind: int, key: int, what: str
    ) -> Iterator[list[tuple[bytes, int]]]:
        """Yield the keys and addresses in each leaf of a tree."""
        stack = [address]
        while stack:
            node = stack.pop()
            self._visit(node, what)
            signature, found, level, used = self._file.numbers("<4sBBH", node)
            if signature != b"TREE" or found != kind:
                raise self._file.damaged(f"{what} is missing")
            raw = self._file.at(node + 24, used * (key + 8))
            pairs = [
                (raw[i : i + key], int.from_bytes(raw[i + key : i + key + 8], "little"))
                for i in range(0, len(raw), key + 8)
            ]
            if level:
                stack.extend(child for _, child in reversed(pairs))
            else:
                yield pairs

    # -- arrays ----------------------------------------------------------------

    def _array(
        self, messages: list[tuple[int, bytes]], attributes: dict[str, Any], where: str
    ) -> Hdf5Array:
        what = f"{self._file.what}: {where!r}"
        bodies = dict(messages)
        if _EXTERNAL in bodies:
            raise UnsafeFileError(
                f"{what} keeps its data in another file, which is refused."
            )
        shape = types.shape_of(bodies.get(_SPACE, b""))
        dtype = types.array_type(bodies.get(_TYPE, b""))
        if shape is None or dtype is None:
            raise UnsafeFileError(f"{what} holds data that are not numbers.")
        body = bodies[_LAYOUT]
        version, kind = body[0], body[1]
        if version == 4 and kind == _VIRTUAL:
            raise UnsafeFileError(
                f"{what} keeps its data in another file, which is refused."
            )
        if version == 3 and kind == _CHUNKED:
            filters = filters_of(bodies[_FILTERS], what) if _FILTERS in bodies else []
            read = self._chunked(body, shape, dtype, filters, what)
        elif version == 3 and kind == _COMPACT:
            size = struct.unpack_from("<H", body, 2)[0]
            read = self._block(body[4 : 4 + size], shape, dtype, what)
        elif version in (3, 4) and kind == _CONTIGUOUS:
            read = self._contiguous(body, shape, dtype, what)
        else:
            raise self._file.damaged(f"{where!r} is stored in form {kind} of {version}")
        return Hdf5Array(shape, dtype, attributes, read)

    def _declare(self, size: int) -> None:
        self._total += size
        self._limits.check_size(self._total, self._file.size, self._file.what)

    def _block(
        self, raw: bytes, shape: tuple[int, ...], dtype: np.dtype[Any], what: str
    ) -> Callable[[], Array]:
        declared = types.count_of(shape) * dtype.itemsize
        if len(raw) < declared:
            raise self._short(what, declared, len(raw))
        self._declare(declared)
        return lambda: np.frombuffer(raw[:declared], dtype).reshape(shape)

    def _contiguous(
        self, body: bytes, shape: tuple[int, ...], dtype: np.dtype[Any], what: str
    ) -> Callable[[], Array]:
        address, stored = struct.unpack("<QQ", body[2:18])
        declared = types.count_of(shape) * dtype.itemsize
        if stored < declared or (declared and address == _UNDEFINED):
            raise self._short(what, declared, 0 if address == _UNDEFINED else stored)
        if declared and address + declared > self._file.size:
            raise UnsafeFileError(
                f"{what} declares {declared:,} bytes of data at {address:,}, but the "
                f"file has {self._file.size:,}."
            )
        self._declare(declared)

        def read() -> Array:
            raw = self._file.at(address, declared) if declared else b""
            return np.frombuffer(raw, dtype).reshape(shape)

        return read

    def _short(self, what: str, declared: int, stored: int) -> UnsafeFileError:
        return UnsafeFileError(
            f"{what} declares {declared:,} bytes of data but stores {stored:,}."
        )

    def _chunked(
        self,
        body: bytes,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        filters: list[int],
        what: str,
    ) -> Callable[[], Array]:
        grid, address = grid_of(body, len(shape), dtype.itemsize)
        chunks = Chunks(shape, dtype, grid, filters, what)
        # Pieces at the end reach beyond the array, and are unpacked whole.
        count = math.prod(chunks.counts)
        self._declare(count * chunks.piece_bytes)
        self._objects += count
        self._limits.check_count(self._objects, self._file.what)
        keys: list[ChunkKey] = []
        if count and address != _UNDEFINED:
            rank = len(shape)
            for pairs in self._nodes(address, _CHUNK_TREE, key_size(rank), what):
                keys += [ChunkKey.read(raw, rank, child) for raw, child in pairs]
                self._limits.check_count(len(keys), what)
        chunks.check(keys)
        for key in keys:
            if key.address + key.stored > self._file.size:
                raise UnsafeFileError(
                    f"{what} declares a piece of {key.stored:,} bytes at "
                    f"{key.address:,}, but the file has {self._file.size:,}."
                )
        return functools.partial(chunks.read, keys, self._file.at)
