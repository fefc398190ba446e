"""Neural-network kernels in NumPy: fewer passes over memory than the compositions.

16-bit floats are computed in float32, whose exponentials do not overflow where the
result is still a number.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS"]

_HALF_BYTES: Final = 2


def _quiet(kernel: Callable[..., Array]) -> Kernel:
    """Let overflow and invalid values pass, and compute 16-bit floats in float32."""

    @functools.wraps(kernel)
    def call(x: Array, *args: Any) -> Array:
        with np.errstate(all="ignore"):
            if x.dtype.itemsize > _HALF_BYTES:
                return kernel(x, *args)
            return kernel(x.astype(np.float32), *args).astype(x.dtype)

    return call


def _relu(x: Array) -> Array:
    return np.asarray(np.maximum(x, x.dtype.type(0)))


def _sigmoid(x: Array) -> Array:
    # exp(-x) is relatively exact in both tails; where it overflows the result is 0.
    e = np.exp(-x)
    e = np.asarray(e)
    e += 1
    return np.asarray(np.reciprocal(e, out=e))


def _softplus(x: Array) -> Array:
    out = np.asarray(np.abs(x))
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    out += np.maximum(x, 0)
    return out


def _silu(x: Array) -> Array:
    out = _sigmoid(x)
    # Where the sigmoid is 0 the product is too, also for minus infinity.
    np.multiply(out, np.maximum(x, np.finfo(x.dtype).min), out=out)
    return out


def _softmax(x: Array, axis: tuple[int, ...]) -> Array:
    out = np.asarray(x - x.max(axis=axis, keepdims=True))
    np.exp(out, out=out)
    out /= out.sum(axis=axis, keepdims=True)
    return out


def _log_softmax(x: Array, axis: tuple[int, ...]) -> Array:
    out = np.asarray(x - x.max(axis=axis, keepdims=True))
    out -= np.log(np.exp(out).sum(axis=axis, keepdims=True))
    return out


def _one_hot(x: Array, num_classes: int, axis: int, dtype: Any, sparse: bool) -> Array:
    out = np.zeros((x.size, num_classes), dtype)
    flat = x.reshape(-1)
    inside = np.flatnonzero((flat >= 0) & (flat < num_classes))
    out[inside, flat[inside]] = 1
    return np.moveaxis(out.reshape(*x.shape, num_classes), -1, axis)


def _layer_normalization(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    axis: tuple[int, ...],
    epsilon: float,
) -> Array:
    shape = [1] * x.ndim
    weight = gamma if gamma is not None else beta
    if weight is not None:
        for a, n in zip(axis, weight.shape, strict=True):
            shape[a] = n
    out = x - x.mean(axis=axis, keepdims=True)
    square = np.square(out).mean(axis=axis, keepdims=True)
    square += epsilon
    out /= np.sqrt(square)
    if gamma is not None:
        out *= gamma.reshape(shape)
    if beta is not None:
        out += beta.reshape(shape)
    return np.asarray(out)


def _sigmoid_crossentropy(target: Array, logits: Array) -> Array:
    out = np.asarray(np.abs(logits))
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    out += np.maximum(logits, 0)
    out -= logits * target
    return out


def _softmax_crossentropy(target: Array, logits: Array, axis: int) -> Array:
    logs = _log_softmax(logits, (axis,))
    logs *= target
    return np.asarray(-logs.sum(axis=axis))


def _sparse_softmax_crossentropy(logits: Array, target: Array, axis: int) -> Array:
    count = logits.shape[axis]
    shifted = logits - logits.max(axis=axis, keepdims=True)
    inside = (target >= 0) & (target < count)
    place = np.expand_dims(np.where(inside, target, 0), axis)
    picked = np.take_along_axis(shifted, place, axis).squeeze(axis)
    total = np.log(np.exp(shifted).sum(axis=axis))
    return np.where(inside, total - picked, logits.dtype.type(0))


_quiet_sparse = _quiet(_sparse_softmax_crossentropy)


def _sparse(target: Array, logits: Array, axis: int) -> Array:
    return _quiet_sparse(logits, target, axis)


KERNELS: Final[dict[str, Kernel]] = {
    "relu": _relu,
    "sigmoid": _quiet(_sigmoid),
    "softplus": _quiet(_softplus),
    "silu": _quiet(_silu),
    "softmax": _quiet(_softmax),
    "log_softmax": _quiet(_log_softmax),
    "one_hot": _one_hot,
    "layer_normalization": _quiet(_layer_normalization),
    "sigmoid_crossentropy": _quiet(_sigmoid_crossentropy),
    "softmax_crossentropy": _quiet(_softmax_crossentropy),
    "sparse_softmax_crossentropy": _sparse,
}
