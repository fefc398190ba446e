"""Neural-network kernels in NumPy: fewer passes over memory than the compositions.

16-bit floats are computed in float32, whose exponentials do not overflow where the
result is still a number.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import dtypes
from polykeras_numpy.buffers import SMALLEST, empty
from polykeras_numpy.quiet import quiet

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS", "fitting_relu", "relu"]

_HALF_BYTES: Final = 2
# Classes up to which comparing with each is faster than writing to one.
_FEW: Final = 64
# Numbers in the rows to compare with: enough for vectors, and within the cache.
_SHORTEST: Final = 512
_LONGEST: Final = 1 << 14


def _floating(kernel: Callable[..., Array]) -> Kernel:
    """Let overflow and invalid values pass, and compute 16-bit floats in float32."""

    @functools.wraps(kernel)
    def call(x: Array, *args: Any) -> Array:
        dtype = x.dtype
        if dtype.itemsize > _HALF_BYTES:
            return kernel(x, *args)
        wide = (
            a.astype(np.float32) if getattr(a, "dtype", None) == dtype else a
            for a in (x, *args)
        )
        return kernel(*wide).astype(dtype)

    return quiet(call)


def relu(x: Array, out: Array | None = None) -> Array:
    """Return the larger of each value and 0, in `out` if it is given."""
    if x.nbytes >= SMALLEST and x.flags.c_contiguous:
        if out is None:
            out = empty(x.shape, x.dtype)
        # NumPy compares with one number value by value, and with a row several at once.
        row, axis = 1, x.ndim
        while row < _SHORTEST and axis:
            axis -= 1
            row *= x.shape[axis]
        if row <= _LONGEST and out.flags.c_contiguous:
            zeros = _zeros((row,), x.dtype)
            np.maximum(x.reshape(-1, row), zeros, out=out.reshape(-1, row))
            return out
    return np.asarray(np.maximum(x, _zeros((), x.dtype), out=out))


def fitting_relu(x: Any) -> tuple[Kernel, tuple[Any, ...]]:
    """Return what `relu` calls for an argument of this shape and dtype."""
    dtype = dtypes.as_numpy_dtype(x.dtype)
    # Of no axes, NumPy would return a number.
    if not x.shape or math.prod(x.shape) * dtype.itemsize >= SMALLEST:
        return relu, ()
    return np.maximum, (_zeros((), dtype),)


@functools.lru_cache(64)
def _zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    zeros = np.zeros(shape, dtype)
    zeros.setflags(write=False)
    return zeros


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
    np.multiply(out, x, out=out)
    return out


def _softmax(x: Array, axis: tuple[int, ...]) -> Array:
    out = np.asarray(x - np.maximum.reduce(x, axis, keepdims=True))
    np.exp(out, out=out)
    out /= np.add.reduce(out, axis, keepdims=True)
    return out


def _log_softmax(x: Array, axis: tuple[int, ...]) -> Array:
    out = np.asarray(x - x.max(axis=axis, keepdims=True))
    out -= np.log(np.exp(out).sum(axis=axis, keepdims=True))
    return out


def _one_hot(x: Array, num_classes: int, axis: int, dtype: Any, sparse: bool) -> Array:
    if num_classes <= _FEW:
        out = np.equal(x[..., None], np.arange(num_classes)).astype(dtype)
    else:
        out = np.zeros((*x.shape, num_classes), dtype)
        flat = x.reshape(-1)
        inside = np.flatnonzero((flat >= 0) & (flat < num_classes))
        out.reshape(-1, num_classes)[inside, flat[inside]] = 1
    return out if axis == x.ndim else np.moveaxis(out, -1, axis)


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
    if target.shape != logits.shape:
        raise ValueError("There is one logit for each target.")
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


def _probability_crossentropy(
    target: Array, output: Array, axis: int, epsilon: float
) -> Array:
    logs = output / np.add.reduce(output, axis, keepdims=True)
    np.maximum(logs, epsilon, out=logs)
    np.minimum(logs, 1.0 - epsilon, out=logs)
    np.log(logs, out=logs)
    logs *= target
    return np.asarray(-np.add.reduce(logs, axis))


def _probability_crossentropy_gradient(
    g: Array, target: Array, output: Array, axis: int, epsilon: float
) -> Array:
    low, high = output.dtype.type(epsilon), output.dtype.type(1.0 - epsilon)
    total = np.add.reduce(output, axis, keepdims=True)
    share = output / total
    bounded = np.minimum(np.maximum(share, low), high)
    slope = np.asarray(target / bounded)
    slope *= np.expand_dims(-g, axis)
    # Where a limit was met the value is the limit; there the gradient is 0, or half.
    moved = bounded != share
    met = (bounded == low) | (bounded == high)
    if met.any():
        slope[met] *= slope.dtype.type(0.5)
    if moved.any():
        slope[moved] = 0
    slope -= np.add.reduce(slope * share, axis, keepdims=True)
    slope /= total
    return slope


def _softmax_gradient(g: Array, out: Array, axis: tuple[int, ...]) -> Array:
    result = np.asarray(g * out)
    share = np.add.reduce(result, axis, keepdims=True)
    np.subtract(g, share, out=result)
    result *= out
    return result


def _sparse_softmax_crossentropy(logits: Array, target: Array, axis: int) -> Array:
    count = logits.shape[axis]
    if axis != logits.ndim - 1:
        logits = np.moveaxis(logits, axis, -1)
    rows = logits.reshape(target.size, count)
    places = target.reshape(-1)
    outside = None
    if places.size and not (places.min() >= 0 and places.max() < count):
        outside = (places < 0) | (places >= count)
        places = np.where(outside, 0, places)
    rows = rows - np.maximum.reduce(rows, 1, keepdims=True)
    picked = rows.reshape(-1).take(places + np.arange(0, rows.size, count))
    np.exp(rows, out=rows)
    out = np.log(np.add.reduce(rows, 1))
    out -= picked
    if outside is not None:
        out[outside] = 0
    return np.asarray(out.reshape(target.shape))


_floating_sparse = _floating(_sparse_softmax_crossentropy)


def _sparse(target: Array, logits: Array, axis: int) -> Array:
    return np.asarray(_floating_sparse(logits, target, axis))


KERNELS: Final[dict[str, Kernel]] = {
    "relu": relu,
    "sigmoid": _floating(_sigmoid),
    "softplus": _floating(_softplus),
    "silu": _floating(_silu),
    "softmax": _floating(_softmax),
    "log_softmax": _floating(_log_softmax),
    "one_hot": _one_hot,
    "layer_normalization": _floating(_layer_normalization),
    "sigmoid_crossentropy": _floating(_sigmoid_crossentropy),
    "probability_crossentropy": _floating(_probability_crossentropy),
    "probability_crossentropy_gradient": _floating(_probability_crossentropy_gradient),
    "softmax_gradient": _floating(_softmax_gradient),
    "softmax_crossentropy": _floating(_softmax_crossentropy),
    "sparse_softmax_crossentropy": _sparse,
}
