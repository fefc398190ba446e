"""Kernels of the domain indexing.

Indices that are known now are checked; inside a compiled function reads use the
nearest place, and writes outside are dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from polykeras.backend import check_indices

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]


def _basic_index(x: jax.Array, key: tuple[Any, ...]) -> jax.Array:
    starts: list[int] = []
    stops: list[int] = []
    steps: list[int] = []
    shape: list[int] = []
    for entry in key:
        if entry is None:
            shape.append(1)
            continue
        if isinstance(entry, slice):
            start, stop, step = entry.indices(x.shape[len(starts)])
            stop = max(start, stop)
            shape.append(len(range(start, stop, step)))
        else:
            start, stop, step = entry, entry + 1, 1
        starts.append(start)
        stops.append(stop)
        steps.append(step)
    if tuple(stops) != x.shape or any(starts) or any(s != 1 for s in steps):
        x = lax.slice(x, starts, stops, steps)
    return x if tuple(shape) == x.shape else lax.reshape(x, tuple(shape))


def _check(op: str, indices: Any, size: Any, axis: int) -> None:
    if not isinstance(indices, jax.core.Tracer):
        check_indices(op, np.asarray(indices), size, axis)


def _non_negative(indices: jax.Array, size: int) -> jax.Array:
    if jnp.issubdtype(indices.dtype, jnp.unsignedinteger):
        return indices
    if size > np.iinfo(indices.dtype).max:
        indices = indices.astype(np.int32)
    return jnp.where(indices < 0, indices + np.asarray(size, indices.dtype), indices)


def _take(x: jax.Array, indices: jax.Array, axis: int) -> jax.Array:
    _check("take", indices, x.shape[axis], axis)
    return jnp.take(x, _non_negative(indices, x.shape[axis]), axis, mode="clip")


def _take_along_axis(x: jax.Array, indices: jax.Array, axis: int) -> jax.Array:
    _check("take_along_axis", indices, x.shape[axis], axis)
    places = _non_negative(indices, x.shape[axis])
    return jnp.take_along_axis(x, places, axis, mode="clip")


def _start(start: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        np.int32(s) if isinstance(s, int) else s.astype(np.int32) for s in start
    )


def _slice(x: jax.Array, start: tuple[Any, ...], shape: tuple[int, ...]) -> jax.Array:
    if all(isinstance(s, int) for s in start):
        stops = tuple(s + n for s, n in zip(start, shape, strict=True))
        return lax.slice(x, start, stops)
    return lax.dynamic_slice(x, _start(start), shape)


def _slice_update(
    x: jax.Array, start: tuple[Any, ...], updates: jax.Array
) -> jax.Array:
    return lax.dynamic_update_slice(x, updates, _start(start))


def _scatter_update(
    x: jax.Array, indices: jax.Array, updates: jax.Array, reduction: str | None
) -> jax.Array:
    _check("scatter_update", indices, x.shape[: indices.shape[-1]], 0)
    parts = tuple(
        _non_negative(lax.index_in_dim(indices, i, -1, keepdims=False), n)
        for i, n in enumerate(x.shape[: indices.shape[-1]])
    )
    at = x.at[parts]
    if reduction is None:
        return at.set(updates, mode="drop")
    if reduction == "add":
        return at.add(updates, mode="drop")
    if reduction == "max":
        return at.max(updates, mode="drop")
    if reduction == "min":
        return at.min(updates, mode="drop")
    return _scatter_product(x, parts, updates)


@jax.custom_vjp
def _scatter_product(
    x: jax.Array, parts: tuple[jax.Array, ...], updates: jax.Array
) -> jax.Array:
    """Multiply at places that may repeat, which JAX itself does not differentiate."""
    return x.at[parts].multiply(updates, mode="drop")


def _product_forward(x: Any, parts: Any, updates: Any) -> tuple[Any, Any]:
    return _scatter_product(x, parts, updates), (x, parts, updates)


def _product_backward(saved: Any, g: jax.Array) -> tuple[Any, ...]:
    x, parts, updates = saved
    is_zero = updates == 0
    nonzero = jnp.where(is_zero, jnp.ones_like(updates), updates)
    product = _scatter_product(jnp.ones_like(x), parts, nonzero)[parts]
    zeros = is_zero.astype(x.dtype)
    count = jnp.zeros_like(x).at[parts].add(zeros, mode="drop")[parts]
    others = jnp.where(count == zeros, product / nonzero, jnp.zeros_like(product))
    none = tuple(np.zeros(p.shape, jax.dtypes.float0) for p in parts)
    return _scatter_product(g, parts, updates), none, (g * x)[parts] * others


_scatter_product.defvjp(_product_forward, _product_backward)


def _segment_sum(data: jax.Array, ids: jax.Array, n: int, ordered: bool) -> jax.Array:
    return jax.ops.segment_sum(data, _segments(ids, n), n + 1)[:n]


def _segments(ids: jax.Array, n: int) -> jax.Array:
    """Send rows outside to one more segment, which is cut off."""
    return jnp.where((ids < 0) | (ids >= n), np.asarray(n, np.int32), ids)


def _segment_max(data: jax.Array, ids: jax.Array, n: int, ordered: bool) -> jax.Array:
    return jax.ops.segment_max(data, _segments(ids, n), n + 1)[:n]


def _segment_min(data: jax.Array, ids: jax.Array, n: int, ordered: bool) -> jax.Array:
    return jax.ops.segment_min(data, _segments(ids, n), n + 1)[:n]


KERNELS: Final[dict[str, Kernel]] = {
    "basic_index": _basic_index,
    "scatter_update": _scatter_update,
    "segment_max": _segment_max,
    "segment_min": _segment_min,
    "segment_sum": _segment_sum,
    "slice": _slice,
    "slice_update": _slice_update,
    "take": _take,
    "take_along_axis": _take_along_axis,
}
