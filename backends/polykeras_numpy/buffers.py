"""Memory for large results, kept from one training step to the next.

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
    from polykeras.backend import Array

__all__ = ["SMALLEST", "empty"]

# Below this, the allocator serves from memory that it holds.
SMALLEST: Final = 1 << 16
# The most that is kept for one thread, in bytes and in blocks of one size.
_MOST: Final = 1 << 28
_COPIES: Final = 8
# References to a free block during the search: the list, the variable, the argument.
_FREE: Final = 3


class _Kept(threading.local):
    """The blocks of a thread: two threads must not find the same one free."""

    def __init__(self) -> None:
        self.blocks: dict[int, list[Array]] = {}
        self.total = 0


_kept: Final = _Kept()


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return an array of undefined values, in memory used before if there is some.

    Args:
        shape: Size of each axis.
        dtype: Of the array.
    """
    size = math.prod(shape) * dtype.itemsize
    if size < SMALLEST:
        return np.empty(shape, dtype)
    blocks = _kept.blocks.get(size)
    if blocks is None:
        blocks = _kept.blocks[size] = []
    for block in blocks:
        if sys.getrefcount(block) == _FREE:
            return block.view(dtype).reshape(shape)
    block = np.empty(size, np.uint8)
    if len(blocks) < _COPIES:
        _make_room(size)
        if _kept.total + size <= _MOST:
            blocks.append(block)
            _kept.total += size
    return block.view(dtype).reshape(shape)


def _make_room(size: int) -> None:
    """Let go of free blocks, the sizes longest known first."""
    for other, blocks in list(_kept.blocks.items()):
        if _kept.total + size <= _MOST:
            return
        for i in reversed(range(len(blocks))):
            if sys.getrefcount(blocks[i]) < _FREE:
                del blocks[i]
                _kept.total -= other
