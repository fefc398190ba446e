"""Memory for large arrays, kept from one step or run to the next.

The C library gives large blocks back to the system when they are freed, and every
page of the next block is then faulted in and cleared again; for the gradient of a
weight matrix that costs more than half of the product that fills it.

A block is free when nothing but this module refers to it. Views of an array hold
its base, which is the block itself, so the reference count tells.
"""

from __future__ import annotations

import math
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from polykeras.backend._base import Array

__all__ = ["ALIGNMENT", "Buffers"]

# References to a free block during the search: the list's, the variable, the argument.
_FREE: Final = 3
# Libraries take arrays over as they are only from there on.
ALIGNMENT: Final = 64


class Buffers:
    """Blocks of memory that are used again.

    Args:
        most: The most that is kept for one thread, in bytes.
        copies: The most blocks of one size.
    """

    def __init__(self, most: int, copies: int = 8) -> None:
        """Keep nothing yet."""
        self._most = most
        self._copies = copies
        self._kept = _Kept()

    @property
    def total(self) -> int:
        """Bytes kept for this thread."""
        return self._kept.total

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Return an array of undefined values, in memory used before if there is some.

        Args:
            shape: Size of each axis.
            dtype: Of the array.

        Returns:
            An array whose values begin at a multiple of 64 bytes.
        """
        size = math.prod(shape) * dtype.itemsize
        kept = self._kept
        blocks = kept.blocks.get(size)
        if blocks is None:
            blocks = kept.blocks[size] = []
        for block, start in blocks:
            if sys.getrefcount(block) == _FREE:
                return np.ndarray(shape, dtype, block, start)
        block = np.empty(size + ALIGNMENT, np.uint8)
        start = -block.ctypes.data % ALIGNMENT
        if len(blocks) < self._copies:
            self._make_room(size)
            if kept.total + size <= self._most:
                blocks.append((block, start))
                kept.total += size
        return np.ndarray(shape, dtype, block, start)

    def _make_room(self, size: int) -> None:
        """Let go of free blocks, the sizes longest known first."""
        kept = self._kept
        for other, blocks in list(kept.blocks.items()):
            if kept.total + size <= self._most:
                return
            for i in reversed(range(len(blocks))):
                if sys.getrefcount(blocks[i][0]) < _FREE:
                    del blocks[i]
                    kept.total -= other


class _Kept(threading.local):
    """The blocks of a thread: two threads must not find the same one free."""

    def __init__(self) -> None:
        # With the place of the first aligned byte of each.
        self.blocks: dict[int, list[tuple[Array, int]]] = {}
        self.total = 0
