"""Means, variances and their relatives.

Integers become floatx. float16 and bfloat16 are accumulated in float32 and rounded
once, so that neither the sum nor the square overflows. Variances divide by the
number of values. The mean of nothing is NaN.
"""

from __future__ import annotations

import math
from typing import Any

from polykeras import dtypes, ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.ops._declare import op
from polykeras.ops._reducing import as_inexact, count, kept, widened
from polykeras.ops._shapes import canonical_axes, canonical_axis
from polykeras.ops._values import dtype_of

__all__ = ["average", "logsumexp", "mean", "moments", "std", "var"]

Axes = tuple[int, ...]


@op(inexact="x")
def mean(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the arithmetic mean over axes.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A floating tensor of the remaining shape; NaN where there is no value.

    Raises:
        ArgumentError: If an axis does not exist or is named twice.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.mean([[1, 2], [3, 5]], axis=1)).tolist()
    [1.5, 4.0]
    """
    x = as_inexact(x)
    axes = canonical_axes("mean", axis, len(x.shape))
    total = ops.sum(widened(x), axis=axes, keepdims=keepdims)
    return ops.cast(ops.divide(total, count(x.shape, axes)), dtype_of(x))


@mean.prepare
def _(x: Tensor, axis: Any, keepdims: bool) -> tuple[Any, ...]:
    return x, canonical_axes("mean", axis, len(x.shape)), bool(keepdims)


@mean.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, axis: Axes, keepdims: bool) -> Tensor:
    share = ops.divide(kept(g, x.shape, axis, keepdims), count(x.shape, axis))
    return ops.broadcast_to(share, tuple(x.shape))


def _squared(x: Tensor) -> Tensor:
    """Return the squared magnitude."""
    return ops.square(ops.abs(x) if dtypes.is_complex(dtype_of(x)) else x)


def _real_dtype(name: str) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(name, name)


@op(inexact="x")
def var(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the variance over axes: the mean squared distance from the mean.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A real floating tensor of the remaining shape; NaN where there is no value.

    Raises:
        ArgumentError: If an axis does not exist or is named twice.

    >>> import polykeras as keras
    >>> float(keras.ops.var([1.0, 3.0]))
    1.0
    """
    x = as_inexact(x)
    axes = canonical_axes("var", axis, len(x.shape))
    wide = widened(x)
    away = ops.subtract(wide, mean(wide, axis=axes, keepdims=True))
    result = mean(_squared(away), axis=axes, keepdims=keepdims)
    return ops.cast(result, _real_dtype(dtype_of(x)))


@var.prepare
def _(x: Tensor, axis: Any, keepdims: bool) -> tuple[Any, ...]:
    return x, canonical_axes("var", axis, len(x.shape)), bool(keepdims)


@var.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, axis: Axes, keepdims: bool) -> Tensor:
    wide = widened(x)
    away = ops.subtract(wide, mean(wide, axis=axis, keepdims=True))
    scale = ops.multiply(kept(g, x.shape, axis, keepdims), 2 / _at_least_one(x, axis))
    return ops.cast(ops.multiply(away, scale), dtype_of(x))


def _at_least_one(x: Tensor, axes: Axes) -> int:
    return max(count(x.shape, axes), 1)


@op(inexact="x")
def std(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the standard deviation over axes: the root of the variance.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A real floating tensor of the remaining shape. Its gradient is zero, not
        NaN, where all values are equal.

    Raises:
        ArgumentError: If an axis does not exist or is named twice.

    >>> import polykeras as keras
    >>> float(keras.ops.std([1.0, 5.0]))
    2.0
    """
    x = as_inexact(x)
    axes = canonical_axes("std", axis, len(x.shape))
    variance = var(widened(x), axis=axes, keepdims=keepdims)
    zero = ops.equal(variance, 0)
    # The root of zero has no derivative: keep it out of the graph.
    root = ops.sqrt(ops.where(zero, ops.ones_like(variance), variance))
    root = ops.where(zero, ops.zeros_like(variance), root)
    return ops.cast(root, _real_dtype(dtype_of(x)))


@std.prepare
def _(x: Tensor, axis: Any, keepdims: bool) -> tuple[Any, ...]:
    return x, canonical_axes("std", axis, len(x.shape)), bool(keepdims)


@op(inexact="x")
def moments(
    x: Tensor, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """Return mean and variance over axes in one call.

    Args:
        x: A tensor of any shape.
        axes: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.
        synchronized: Whether replicas share their statistics; one process has one
            replica, so nothing changes.

    Returns:
        ``(mean, variance)``, floating tensors of the remaining shape.

    Raises:
        ArgumentError: If an axis does not exist or is named twice.

    >>> import polykeras as keras
    >>> m, v = keras.ops.moments([1.0, 3.0], axes=[0])
    >>> float(m), float(v)
    (2.0, 1.0)
    """
    x = as_inexact(x)
    name = dtype_of(x)
    over = canonical_axes("moments", axes, len(x.shape))
    wide = widened(x)
    center = mean(wide, axis=over, keepdims=True)
    variance = mean(_squared(ops.subtract(wide, center)), axis=over, keepdims=keepdims)
    if not keepdims:
        center = ops.squeeze(center, over) if over else center
    return ops.cast(center, name), ops.cast(variance, _real_dtype(name))


@moments.prepare
def _(x: Tensor, axes: Any, keepdims: bool, synchronized: bool) -> tuple[Any, ...]:
    over = canonical_axes("moments", axes, len(x.shape))
    return x, over, bool(keepdims), bool(synchronized)


@moments.vjp("x")
def _(
    g: tuple[Tensor, Tensor],
    out: tuple[Tensor, Tensor],
    x: Tensor,
    axes: Axes,
    keepdims: bool,
    synchronized: bool,
) -> Tensor:
    name, shape = dtype_of(x), x.shape
    wide = widened(x)
    center, spread = (
        ops.multiply(
            ops.cast(kept(part, shape, axes, keepdims), dtype_of(wide)),
            factor / _at_least_one(x, axes),
        )
        for part, factor in zip(g, (1, 2), strict=True)
    )
    # The mean that came out is rounded if `x` is a small float.
    known = kept(out[0], shape, axes, keepdims) if wide is x else None
    middle = mean(wide, axis=axes, keepdims=True) if known is None else known
    away = ops.subtract(wide, middle)
    return ops.cast(ops.add(ops.multiply(away, spread), center), name)


@op(inexact="x")
def logsumexp(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the logarithm of the sum of exponentials over axes, without overflow.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A floating tensor of the remaining shape; -inf where there is no value.

    Raises:
        ArgumentError: If an axis does not exist or is named twice.

    Reference: Blanchard, Higham and Higham, 2021, "Accurately computing the
    log-sum-exp and softmax functions", equation 1.2.

    >>> import polykeras as keras
    >>> float(keras.ops.logsumexp([1000.0, 1000.0])) > 1000
    True
    """
    x = as_inexact(x)
    axes = canonical_axes("logsumexp", axis, len(x.shape))
    wide = widened(x)
    peak = ops.stop_gradient(ops.max(wide, axis=axes, keepdims=True, initial=-math.inf))
    # An infinite shift would turn -inf - (-inf) into NaN.
    shift = ops.where(ops.isfinite(peak), peak, ops.zeros_like(peak))
    total = ops.sum(ops.exp(ops.subtract(wide, shift)), axis=axes, keepdims=True)
    result = ops.add(ops.log(total), shift)
    if not keepdims and axes:
        result = ops.squeeze(result, axes)
    return ops.cast(result, dtype_of(x))


@logsumexp.prepare
def _(x: Tensor, axis: Any, keepdims: bool) -> tuple[Any, ...]:
    return x, canonical_axes("logsumexp", axis, len(x.shape)), bool(keepdims)


@logsumexp.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, axis: Axes, keepdims: bool) -> Tensor:
    g = kept(g, x.shape, axis, keepdims)
    if not axis:
        return g
    # Not exp(x - out): `out` is rounded in units of the largest number, not of 1.
    # A row of -inf has the gradient zero, not NaN.
    empty = ops.equal(kept(out, x.shape, axis, keepdims), -math.inf)
    softmax = ops.softmax(ops.where(empty, ops.zeros_like(x), x), axis=axis)
    return ops.where(empty, ops.zeros_like(x), ops.multiply(g, softmax))


@op(inexact="x weights")
def average(x: Tensor, axis: Any = None, weights: Tensor | None = None) -> Tensor:
    """Return the weighted mean over axes.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        weights: One weight a value: the shape of `x`, or one axis that runs along
            `axis`. None means equal weights.

    Returns:
        A floating tensor of the remaining shape.

    Raises:
        ShapeError: If the weights fit neither `x` nor `axis`.

    >>> import polykeras as keras
    >>> float(keras.ops.average([1.0, 4.0], weights=[2.0, 1.0]))
    2.0
    """
    x = as_inexact(x)
    if weights is None:
        return mean(x, axis=axis)
    weights = as_inexact(weights)
    shape, given = tuple(x.shape), tuple(weights.shape)
    if given != shape:
        one_axis = not isinstance(axis, list | tuple) and axis is not None
        where = canonical_axis("average", axis, len(shape)) if one_axis else None
        if where is None or given != (shape[where],):
            raise ShapeError(
                f"polykeras.ops.average expected weights of the shape of x, {shape}, "
                f"or one weight for each place along a single axis; got weights of "
                f"shape {given} and axis={axis}."
            )
        weights = ops.reshape(
            weights, tuple(shape[i] if i == where else 1 for i in range(len(shape)))
        )
        weights = ops.broadcast_to(weights, shape)
    total = ops.sum(ops.multiply(x, weights), axis=axis)
    return ops.divide(total, ops.sum(weights, axis=axis))
