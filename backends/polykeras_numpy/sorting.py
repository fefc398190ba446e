"""Kernels of sorting and searching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS"]


def _orderable(x: Array) -> Array:
    # The small floats of ml_dtypes leave everything where it is once they meet NaN.
    return x.astype(np.float32) if x.dtype.kind == "V" else x


def _sort(x: Array, axis: int) -> Array:
    return np.sort(_orderable(x), axis, kind="stable").astype(x.dtype, copy=False)


def _argsort(x: Array, axis: int) -> Array:
    return np.argsort(_orderable(x), axis, kind="stable").astype(np.int32)


def _top_k(x: Array, k: int, sorted: bool) -> tuple[Array, Array]:
    if k == 1 and x.size:
        index = np.argmax(x, -1, keepdims=True)
    else:
        # Sorted ascending from the right: read backwards, the largest come first,
        # NaN among them, and the first of equals is the first.
        order = np.argsort(_orderable(x)[..., ::-1], -1, kind="stable")
        index = (x.shape[-1] - 1) - order[..., ::-1][..., :k]
    return np.take_along_axis(x, index, -1), index.astype(np.int32)


def _searchsorted(
    sorted_sequence: Array, values: Array, side: Literal["left", "right"]
) -> Array:
    places = np.searchsorted(_orderable(sorted_sequence), _orderable(values), side)
    return np.asarray(places, np.int32)


def _nonzero(x: Array) -> tuple[Array, ...]:
    return tuple(index.astype(np.int32) for index in np.nonzero(x))


KERNELS: Final[dict[str, Kernel]] = {
    "sort": _sort,
    "argsort": _argsort,
    "top_k": _top_k,
    "searchsorted": _searchsorted,
    "nonzero": _nonzero,
}
