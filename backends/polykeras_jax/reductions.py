"""Kernels of reductions and scans."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import jax.numpy as jnp

from polykeras import dtypes
from polykeras_jax.naming import name_of

if TYPE_CHECKING:
    from jax import Array

    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Axes = tuple[int, ...]


def _sum(x: Array, axis: Axes, keepdims: bool) -> Array:
    # jnp.sum accumulates small floats in float32.
    dtype = dtypes.sum_dtype(name_of(x.dtype))
    return jnp.sum(x, axis, dtype=dtype, keepdims=keepdims)


def _prod(x: Array, axis: Axes, keepdims: bool, dtype: str) -> Array:
    wide = dtypes.accumulation_dtype(dtype)
    out = jnp.prod(x.astype(wide), axis, dtype=wide, keepdims=keepdims)
    return out.astype(dtype)


def _extreme(reduce: Callable[..., Array], combine: Callable[..., Array]) -> Kernel:
    def kernel(x: Array, axis: Axes, keepdims: bool, initial: Any) -> Array:
        if initial is None:
            return reduce(x, axis, keepdims=keepdims)
        level = jnp.asarray(initial, x.dtype)
        if 0 in x.shape:
            return reduce(x, axis, keepdims=keepdims, initial=level)
        return combine(reduce(x, axis, keepdims=keepdims), level)

    return kernel


def _argmax(x: Array, axis: int | None, keepdims: bool) -> Array:
    return jnp.argmax(x, axis, keepdims=keepdims).astype("int32")


def _argmin(x: Array, axis: int | None, keepdims: bool) -> Array:
    return jnp.argmin(x, axis, keepdims=keepdims).astype("int32")


def _any(x: Array, axis: Axes, keepdims: bool) -> Array:
    return jnp.any(x, axis, keepdims=keepdims)


def _all(x: Array, axis: Axes, keepdims: bool) -> Array:
    return jnp.all(x, axis, keepdims=keepdims)


def _scan(accumulate: Callable[..., Array]) -> Kernel:
    def kernel(x: Array, axis: int, dtype: str) -> Array:
        wide = dtypes.accumulation_dtype(dtype)
        return accumulate(x.astype(wide), axis).astype(dtype)

    return kernel


KERNELS: Final[dict[str, Kernel]] = {
    "sum": _sum,
    "prod": _prod,
    "max": _extreme(jnp.max, jnp.maximum),
    "min": _extreme(jnp.min, jnp.minimum),
    "argmax": _argmax,
    "argmin": _argmin,
    "any": _any,
    "all": _all,
    "cumsum": _scan(jnp.cumsum),
    "cumprod": _scan(jnp.cumprod),
}
