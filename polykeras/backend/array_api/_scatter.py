"""Combining rows that go to the same place, in NumPy.

``ufunc.at`` combines numbers six times as fast as rows, and sooner than sorting and
``reduceat``, since NumPy 1.25.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from polykeras.backend._indices import check_indices

__all__ = ["add_rows", "scatter_update"]

_UFUNCS: Final[dict[str, np.ufunc]] = {
    "add": np.add,
    "max": np.maximum,
    "min": np.minimum,
    "mul": np.multiply,
}
Array = np.ndarray[Any, Any]
# Numbers whose places are computed at once.
_PIECE: Final = 1 << 16


def add_rows(rows: Array, places: Array, size: int) -> Array:
    """Return `size` rows, each the sum of the `rows` that go to its place.

    Args:
        rows: Of shape ``(N, ...)``.
        places: N integers; those outside ``[0, size)`` take no part.
        size: The number of rows of the result.
    """
    inside = (places >= 0) & (places < size)
    if not inside.all():
        rows, places = rows[inside], places[inside]
    out = np.zeros((size, *rows.shape[1:]), rows.dtype)
    _combine(np.add, out, places, rows)
    return out


def _combine(ufunc: np.ufunc, out: Array, places: Array, rows: Array) -> None:
    """Let `ufunc.at` work on single numbers, in the order of the rows."""
    numbers, width = out.reshape(-1), math.prod(out.shape[1:])
    cells, step = np.arange(width), max(_PIECE // max(width, 1), 1)
    for first in range(0, len(places), step):
        some = slice(first, first + step)
        at = places[some, None].astype(np.intp) * width + cells
        ufunc.at(numbers, at.reshape(-1), rows[some].reshape(-1))


def scatter_update(
    inputs: Array, indices: Array, updates: Array, reduction: str | None
) -> Array:
    """Return `inputs` with `updates` written or combined at `indices`.

    Raises:
        ArgumentError: If an index is out of range.
    """
    depth = indices.shape[-1]
    sizes = inputs.shape[:depth]
    check_indices("scatter_update", indices, sizes, 0)
    strides = np.cumprod((1, *sizes[:0:-1]))[::-1]
    places = ((indices % np.maximum(sizes, 1)) @ strides).reshape(-1)
    out = np.array(inputs, order="C")
    flat = out.reshape(-1, *inputs.shape[depth:]) if inputs.size else out
    rows = updates.reshape(places.shape[0], *inputs.shape[depth:])
    if not rows.size:
        return out
    if reduction is None:
        flat[places] = rows
        return out
    _combine(_UFUNCS[reduction], flat, places, rows)
    return out
