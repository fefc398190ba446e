"""Kernels of the domain indexing, out of the array API standard.

The standard has no scatter; that kernel goes through NumPy on the host.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from polykeras.backend._indices import check_indices
from polykeras.backend.array_api import _scatter

if TYPE_CHECKING:
    from polykeras.backend._base import Tensor
    from polykeras.backend._kernels import Kernel
    from polykeras.backend.array_api._backend import ArrayAPIBackend

__all__ = ["block_key", "kernels"]


def block_key(
    sizes: tuple[int, ...], start: tuple[Any, ...], shape: tuple[int, ...]
) -> tuple[slice, ...]:
    """Return the key of a block, moved where needed so that it fits."""
    firsts = []
    for n, first, size in zip(sizes, map(int, start), shape, strict=True):
        at = first + n if first < 0 else first
        firsts.append(min(max(at, 0), n - size))
    return tuple(slice(a, a + n) for a, n in zip(firsts, shape, strict=True))


def kernels(backend: ArrayAPIBackend) -> dict[str, Kernel]:
    """Return op name to kernel for the namespace ``backend.xp``."""
    xp = backend.xp

    def non_negative(op: str, indices: Tensor, size: int, axis: int) -> Tensor:
        indices = xp.astype(indices, xp.int64)
        if math.prod(indices.shape):
            if int(xp.min(indices)) < -size or int(xp.max(indices)) >= size:
                check_indices(op, backend.to_numpy(indices), size, axis)
            indices = xp.where(indices < 0, indices + size, indices)
        return indices

    def basic_index(x: Tensor, key: tuple[Any, ...]) -> Tensor:
        return x[key]

    def take(x: Tensor, indices: Tensor, axis: int) -> Tensor:
        places = non_negative("take", indices, x.shape[axis], axis)
        taken = xp.take(x, xp.reshape(places, (-1,)), axis=axis)
        return xp.reshape(taken, x.shape[:axis] + indices.shape + x.shape[axis + 1 :])

    def take_along_axis(x: Tensor, indices: Tensor, axis: int) -> Tensor:
        places = non_negative("take_along_axis", indices, x.shape[axis], axis)
        return xp.take_along_axis(x, places, axis=axis)

    def block(x: Tensor, start: tuple[Any, ...], shape: tuple[int, ...]) -> Tensor:
        return x[block_key(x.shape, start, shape)]

    def slice_update(x: Tensor, start: tuple[Any, ...], updates: Tensor) -> Tensor:
        out = xp.asarray(x, copy=True)
        out[block_key(x.shape, start, updates.shape)] = updates
        return out

    def on_host(function: Any, dtype_from: int) -> Kernel:
        def kernel(*args: Any) -> Tensor:
            host = [backend.to_numpy(a) if backend.is_tensor(a) else a for a in args]
            return backend.from_numpy(
                np.asarray(function(*host)), backend.dtype_name(args[dtype_from])
            )

        return kernel

    def segment_sum(data: Any, ids: Any, n: int, ordered: bool) -> Any:
        return _scatter.add_rows(data, ids, n)

    return {
        "basic_index": basic_index,
        "scatter_update": on_host(_scatter.scatter_update, 0),
        "segment_sum": on_host(segment_sum, 0),
        "slice": block,
        "slice_update": slice_update,
        "take": take,
        "take_along_axis": take_along_axis,
    }
