"""Kernels of the domain creation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import get_opaque_trace_state

from polykeras import dtypes
from polykeras.backend.array_api.creation import float_range
from polykeras_jax.naming import name_of

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

_native: Final = dtypes.as_numpy_dtype
_OUTSIDE: Final = get_opaque_trace_state()  # type: ignore[no-untyped-call]


def _cast(x: Any, dtype: str) -> jax.Array:
    x = jnp.asarray(x)
    if dtypes.is_complex(name_of(x.dtype)) and dtype not in (*dtypes.COMPLEX, "bool"):
        x = jnp.real(x)
    result: jax.Array = x.astype(_native(dtype))
    return result


def _full(shape: tuple[int, ...], fill_value: Any, dtype: str) -> jax.Array:
    if isinstance(fill_value, int | float | complex) and not _is_tracing():
        # A program for the shape would be compiled to run once.
        filled: jax.Array = jax.device_put(np.full(shape, fill_value, _native(dtype)))
        return filled
    return jnp.full(shape, fill_value, _native(dtype))


def _is_tracing() -> bool:
    return bool(get_opaque_trace_state() != _OUTSIDE)  # type: ignore[no-untyped-call]


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
