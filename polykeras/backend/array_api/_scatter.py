"""Combining rows that go to the same place, in NumPy.

``np.add.at`` visits one value at a time. Sorting the places brings rows for one
place together, so that ``reduceat`` combines them in vector loops; columns that
are narrow are counted by ``bincount`` instead.
"""

from __future__ import annotations

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
_FLAT: Final = 1
Array = np.ndarray[Any, Any]


def _combined(ufunc: np.ufunc, rows: Array, places: Array) -> tuple[Array, Array]:
    """Return the different places in order and the combination of their rows."""
    if places.size > 1 and (places[1:] < places[:-1]).any():
        order = np.argsort(places, kind="stable")
        places, rows = places[order], rows[order]
    starts = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))
    dtype = None if rows.dtype == bool and ufunc is not np.add else rows.dtype
    if starts.size == places.size:
        return places, rows
    return places[starts], ufunc.reduceat(rows, starts, axis=0, dtype=dtype)


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
    if not rows.size:
        return out
    if rows.ndim == _FLAT and rows.dtype in (np.float32, np.float64):
        return np.bincount(places, rows, size).astype(rows.dtype, copy=False)
    unique, sums = _combined(np.add, rows, places)
    out[unique] = sums
    return out


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
    ufunc = _UFUNCS[reduction]
    unique, combined = _combined(ufunc, rows, places)
    flat[unique] = ufunc(flat[unique], combined)
    return out
