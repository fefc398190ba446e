"""Kernels of means, variances and log-sum-exp."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import jax
import jax.numpy as jnp

from polykeras import dtypes
from polykeras_jax.naming import name_of

if TYPE_CHECKING:
    from jax import Array

    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Axes = tuple[int, ...]


def _wide(x: Array) -> Array:
    return x.astype(dtypes.accumulation_dtype(name_of(x.dtype)))


def _mean(x: Array, axis: Axes, keepdims: bool) -> Array:
    return jnp.mean(_wide(x), axis, keepdims=keepdims).astype(x.dtype)


def _var(x: Array, axis: Axes, keepdims: bool) -> Array:
    return _moments(x, axis, keepdims, False)[1]


def _moments(
    x: Array, axes: Axes, keepdims: bool, synchronized: bool
) -> tuple[Array, Array]:
    wide = _wide(x)
    center = jnp.mean(wide, axes, keepdims=True)
    away = wide - center
    size = away * away if not jnp.iscomplexobj(away) else jnp.abs(away) ** 2
    spread = jnp.mean(size, axes, keepdims=keepdims)
    if not keepdims:
        center = jnp.squeeze(center, axes)
    real = spread.dtype if jnp.iscomplexobj(x) else x.dtype
    return center.astype(x.dtype), spread.astype(real)


def _logsumexp(x: Array, axis: Axes, keepdims: bool) -> Array:
    if 0 in x.shape:
        powers = jnp.sum(jnp.exp(x), axis, keepdims=keepdims)
        return jnp.log(powers)
    wide = _wide(x)
    # The derivative of a row of -inf would be NaN: keep such rows out of the graph.
    dead = jnp.max(wide, axis, keepdims=True) == -jnp.inf
    out = jax.nn.logsumexp(jnp.where(dead, 0, wide), axis, keepdims=keepdims)
    out = jnp.where(dead if keepdims else jnp.squeeze(dead, axis), -jnp.inf, out)
    return out.astype(x.dtype)


KERNELS: Final[dict[str, Kernel]] = {
    "mean": _mean,
    "var": _var,
    "moments": _moments,
    "logsumexp": _logsumexp,
}
