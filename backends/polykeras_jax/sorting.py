"""Kernels of sorting and searching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from jax import Array

    from polykeras.backend import Kernel

__all__ = ["KERNELS"]


def _sort(x: Array, axis: int) -> Array:
    return jnp.sort(x, axis, stable=True)


def _argsort(x: Array, axis: int) -> Array:
    return jnp.argsort(x, axis, stable=True).astype("int32")


def _top_k(x: Array, k: int, sorted: bool) -> tuple[Array, Array]:
    if jnp.issubdtype(x.dtype, jnp.floating):
        # The sign of NaN decides its place in lax.top_k: make it positive.
        keys = jnp.where(jnp.isnan(x), jnp.nan, x)
    else:
        keys = x.astype("int32") if x.dtype == bool else x
    values, index = jax.lax.top_k(keys, k)
    return values.astype(x.dtype), index.astype("int32")


def _searchsorted(sorted_sequence: Array, values: Array, side: str) -> Array:
    return jnp.searchsorted(sorted_sequence, values, side=side).astype("int32")


def _nonzero(x: Array) -> tuple[Array, ...]:
    return tuple(index.astype("int32") for index in jnp.nonzero(x))


KERNELS: Final[dict[str, Kernel]] = {
    "sort": _sort,
    "argsort": _argsort,
    "top_k": _top_k,
    "searchsorted": _searchsorted,
    "nonzero": _nonzero,
}
