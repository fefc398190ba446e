"""Activation functions that give a distribution over an axis."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.ops._declare import op
from polykeras.ops._shapes import canonical_axes, canonical_axis
from polykeras.ops.activations import as_inexact, relu

__all__ = [
    "log_softmax",
    "softmax",
    "softmax_gradient",
    "sparsemax",
]


@op(inexact="x")
def softmax(x: Tensor, axis: Any = -1) -> Tensor:
    """Return exponentials divided by their sum, without overflow.

    Args:
        x: A tensor of any shape.
        axis: An axis, a tuple of axes, or None for all.

    Returns:
        A tensor of the shape of `x` whose values sum to 1 over `axis`.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.softmax([1.0, 1.0])).tolist()
    [0.5, 0.5]
    """
    x = ops.convert_to_tensor(x)
    axes = canonical_axes("softmax", axis, len(x.shape))
    shifted = ops.subtract(x, ops.stop_gradient(ops.max(x, axes, keepdims=True)))
    powers = ops.exp(shifted)
    return ops.divide(powers, ops.sum(powers, axes, keepdims=True))


@softmax.prepare
def _(x: Tensor, axis: Any) -> tuple[Any, ...]:
    return x, canonical_axes("softmax", axis, len(x.shape))


@softmax.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, axis: tuple[int, ...]) -> Tensor:
    return softmax_gradient(g, out, axis)


@op(common="g out")
def softmax_gradient(g: Tensor, out: Tensor, axis: tuple[int, ...]) -> Tensor:
    """Return the gradient of `softmax` for its argument.

    Args:
        g: The gradient of the result.
        out: The result.
        axis: The axes of the softmax, not negative.

    Returns:
        A tensor of the shape of `out`.
    """
    share = ops.sum(ops.multiply(g, out), axis, keepdims=True)
    return ops.multiply(out, ops.subtract(g, share))


@op(inexact="x")
def log_softmax(x: Tensor, axis: Any = -1) -> Tensor:
    """Return the logarithm of `softmax`, without overflow or underflow.

    Args:
        x: A tensor of any shape.
        axis: An axis, a tuple of axes, or None for all.

    >>> import polykeras as keras
    >>> float(keras.ops.log_softmax([0.0, -1000.0])[1])
    -1000.0
    """
    x = ops.convert_to_tensor(x)
    axes = canonical_axes("log_softmax", axis, len(x.shape))
    shifted = ops.subtract(x, ops.stop_gradient(ops.max(x, axes, keepdims=True)))
    total = ops.sum(ops.exp(shifted), axes, keepdims=True)
    return ops.subtract(shifted, ops.log(total))


@log_softmax.prepare
def _(x: Tensor, axis: Any) -> tuple[Any, ...]:
    return x, canonical_axes("log_softmax", axis, len(x.shape))


@log_softmax.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, axis: tuple[int, ...]) -> Tensor:
    return ops.subtract(g, ops.multiply(ops.exp(out), ops.sum(g, axis, keepdims=True)))


@op(inexact="x")
def sparsemax(x: Tensor, axis: int = -1) -> Tensor:
    """Return the nearest point of the probability simplex, which often has zeros.

    Args:
        x: A tensor of any shape.
        axis: The axis that sums to 1.

    Reference: Martins and Astudillo, 2016, "From Softmax to Sparsemax", algorithm 1.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sparsemax([0.0, 3.0])).tolist()
    [0.0, 1.0]
    """
    x = as_inexact(x)
    along = canonical_axis("sparsemax", axis, len(x.shape))
    z = ops.moveaxis(x, along, -1)
    dtype = ops.dtype(z)
    # The result does not change when all values move; small ones lose fewer digits.
    z = ops.subtract(z, ops.stop_gradient(ops.max(z, -1, keepdims=True)))
    falling = ops.flip(ops.sort(z, axis=-1), axis=-1)
    count = ops.cast(ops.arange(1, z.shape[-1] + 1), dtype)
    sums = ops.subtract(ops.cumsum(falling, axis=-1), 1)
    support = ops.greater(ops.multiply(count, falling), sums)
    size = ops.sum(ops.cast(support, "int32"), axis=-1, keepdims=True)
    excess = ops.take_along_axis(sums, ops.subtract(size, 1), axis=-1)
    level = ops.divide(excess, ops.cast(size, dtype))
    return ops.moveaxis(relu(ops.subtract(z, level)), -1, along)
