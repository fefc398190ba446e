"""Memory for large results, kept from one training step to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras.backend import Buffers

if TYPE_CHECKING:
    from polykeras.backend import Array

__all__ = ["SMALLEST", "empty"]

# Below this, the allocator serves from memory that it holds.
SMALLEST: Final = 1 << 16
_kept: Final = Buffers(1 << 28)


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return an array of undefined values, in memory used before if there is some.

    Args:
        shape: Size of each axis.
        dtype: Of the array.
    """
    size = dtype.itemsize
    for n in shape:
        size *= n
    return np.empty(shape, dtype) if size < SMALLEST else _kept.empty(shape, dtype)
