"""Kernels of the domain shaping."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Axes = tuple[int, ...]


def _broadcast_to(x: jax.Array, shape: Axes) -> jax.Array:
    lead = len(shape) - x.ndim
    kept = [i for i in range(x.ndim) if x.shape[i] == shape[lead + i]]
    if len(kept) < x.ndim:
        x = lax.reshape(x, tuple(x.shape[i] for i in kept))
    return lax.broadcast_in_dim(x, shape, tuple(lead + i for i in kept))


def _pad_constant(
    x: jax.Array, pads: tuple[tuple[int, int], ...], value: Any
) -> jax.Array:
    fill = np.asarray(value).astype(x.dtype)
    return lax.pad(x, fill, tuple((b, a, 0) for b, a in pads))


def _split(x: jax.Array, points: Axes, axis: int) -> list[jax.Array]:
    bounds = (0, *points, x.shape[axis])
    return [
        lax.slice_in_dim(x, a, max(a, b), axis=axis)
        for a, b in itertools.pairwise(bounds)
    ]


def _unstack(x: jax.Array, num: int, axis: int) -> list[jax.Array]:
    return [lax.index_in_dim(x, i, axis, keepdims=False) for i in range(num)]


def _roll(x: jax.Array, shift: Axes, axis: Axes) -> jax.Array:
    return jnp.roll(x, shift if axis else shift[0], axis or None)


KERNELS: Final[dict[str, Kernel]] = {
    "broadcast_to": _broadcast_to,
    "concatenate": lax.concatenate,
    "diagonal": jnp.diagonal,
    "expand_dims": lax.expand_dims,
    "flip": lax.rev,
    "pad_constant": _pad_constant,
    "reshape": lax.reshape,
    "roll": _roll,
    "split": _split,
    "squeeze": lax.squeeze,
    "stack": jnp.stack,
    "tile": jnp.tile,
    "transpose": lax.transpose,
    "unstack": _unstack,
}
