"""Kernels of the domain indexing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras.backend import check_indices
from polykeras.backend.array_api._scatter import add_rows, scatter_update
from polykeras.backend.array_api.indexing import block_key

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS"]


def _basic_index(x: Array, key: tuple[Any, ...]) -> Array:
    # The ellipsis keeps a result without axes an array.
    return x[(*key, ...)]


def _take(x: Array, indices: Array, axis: int) -> Array:
    try:
        return np.asarray(x.take(indices, axis))
    except IndexError:
        check_indices("take", indices, x.shape[axis], axis)
        raise


def _take_along_axis(x: Array, indices: Array, axis: int) -> Array:
    try:
        return np.take_along_axis(x, indices, axis)
    except IndexError:
        check_indices("take_along_axis", indices, x.shape[axis], axis)
        raise


def _slice(x: Array, start: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    key: Any = (*block_key(x.shape, start, shape), ...)
    return np.asarray(x[key])


def _slice_update(x: Array, start: tuple[Any, ...], updates: Array) -> Array:
    out = x.copy()
    key: Any = (*block_key(x.shape, start, updates.shape), ...)
    out[key] = updates
    return out


def _segment_sum(data: Array, ids: Array, n: int, ordered: bool) -> Array:
    return add_rows(data, ids, n)


KERNELS: Final[dict[str, Kernel]] = {
    "basic_index": _basic_index,
    "scatter_update": scatter_update,
    "segment_sum": _segment_sum,
    "slice": _slice,
    "slice_update": _slice_update,
    "take": _take,
    "take_along_axis": _take_along_axis,
}
