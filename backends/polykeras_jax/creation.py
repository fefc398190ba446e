"""Kernels of the domain creation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp

from polykeras import dtypes
from polykeras.backend.array_api.creation import float_range

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

_native: Final = dtypes.as_numpy_dtype


def _cast(x: Any, dtype: str) -> jax.Array:
    x = jnp.asarray(x)
    if dtypes.is_complex(x.dtype.name) and dtype not in (*dtypes.COMPLEX, "bool"):
        x = jnp.real(x)
    result: jax.Array = x.astype(_native(dtype))
    return result


def _full(shape: tuple[int, ...], fill_value: Any, dtype: str) -> jax.Array:
    return jnp.full(shape, fill_value, _native(dtype))


def _arange(start: Any, stop: Any, step: Any, dtype: str) -> jax.Array:
    if all(isinstance(x, int) for x in (start, stop, step)):
        return jnp.arange(start, stop, step, _native(dtype))
    return jnp.asarray(float_range(start, stop, step).astype(_native(dtype)))


def _view(x: jax.Array, dtype: str) -> jax.Array:
    return jnp.asarray(x).view(_native(dtype))


def _zeros_like(x: jax.Array, dtype: str) -> jax.Array:
    return jnp.zeros_like(x, _native(dtype))


def _ones_like(x: jax.Array, dtype: str) -> jax.Array:
    return jnp.ones_like(x, _native(dtype))


def _eye(N: int, M: int, k: int, dtype: str) -> jax.Array:
    return jnp.eye(N, M, k, _native(dtype))


def _tri(N: int, M: int, k: int, dtype: str) -> jax.Array:
    return jnp.tri(N, M, k, _native(dtype))


def _copy(x: jax.Array) -> jax.Array:
    return jnp.array(x, copy=True)


KERNELS: Final[dict[str, Kernel]] = {
    "arange": _arange,
    "cast": _cast,
    "copy": _copy,
    "eye": _eye,
    "full": _full,
    "ones_like": _ones_like,
    "stop_gradient": jax.lax.stop_gradient,
    "tri": _tri,
    "tril": jnp.tril,
    "triu": jnp.triu,
    "view": _view,
    "zeros_like": _zeros_like,
}
