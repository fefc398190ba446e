"""Kernels of the domain shaping: NumPy's views, without copies."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS"]

Axes = tuple[int, ...]


def _reshape(x: Array, shape: Axes) -> Array:
    return x.reshape(shape)


def _transpose(x: Array, axes: Axes) -> Array:
    return x.transpose(axes)


def _pad_constant(x: Array, pads: tuple[tuple[int, int], ...], value: Any) -> Array:
    shape = tuple(b + n + a for n, (b, a) in zip(x.shape, pads, strict=True))
    # Zeroed pages come from the system for free; filling them does not.
    out = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    out[tuple(slice(b, b + n) for n, (b, _a) in zip(x.shape, pads, strict=True))] = x
    return out


def _expand_dims(x: Array, axis: Axes) -> Array:
    whole = slice(None)
    ndim = x.ndim + len(axis)
    return np.asarray(x[tuple([None if i in axis else whole for i in range(ndim)])])


def _stack(x: list[Array], axis: int) -> Array:
    if axis or not x[0].ndim:
        return np.stack(x, axis)
    # Of many small arrays, `np.stack` makes as many views first.
    return np.concatenate(x).reshape(len(x), *x[0].shape)


def _unstack(x: Array, num: int, axis: int) -> list[Array]:
    moved = np.moveaxis(x, axis, 0) if axis else x
    return [moved[i, ...] for i in range(num)]


def _split(x: Array, points: Axes, axis: int) -> list[Array]:
    lead = (slice(None),) * axis
    bounds = (0, *points, x.shape[axis])
    return [x[(*lead, slice(a, b))] for a, b in itertools.pairwise(bounds)]


def _diagonal(x: Array, offset: int, axis1: int, axis2: int) -> Array:
    return np.diagonal(x, offset, axis1, axis2)


def _roll(x: Array, shift: Axes, axis: Axes) -> Array:
    return np.roll(x, shift, axis or None)


KERNELS: Final[dict[str, Kernel]] = {
    "broadcast_to": np.broadcast_to,
    "concatenate": np.concatenate,
    "diagonal": _diagonal,
    "expand_dims": _expand_dims,
    "flip": np.flip,
    "pad_constant": _pad_constant,
    "reshape": _reshape,
    "roll": _roll,
    "split": _split,
    "squeeze": np.squeeze,
    "stack": _stack,
    "tile": np.tile,
    "transpose": _transpose,
    "unstack": _unstack,
}
