"""Normalisation over batches, features and axes.

Values are those of the formulas in the dtype, float16 and bfloat16 in float32 and
rounded once. So where the variance, or the mean square, is beyond the largest number,
as of float32 numbers some 1e19 apart, one over its root is 0: the normalised values are
0, and so is the gradient with respect to `x` there. Where values are large and lie
together the variance is finite, and nothing is special.
"""

from __future__ import annotations

import math
from typing import Any

from polykeras import config, ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.ops._declare import op
from polykeras.ops._shapes import canonical_axes, canonical_axis

__all__ = [
    "batch_normalization",
    "batch_normalization_training",
    "layer_normalization",
    "rms_normalization",
]

_SMALL_FLOATS = ("float16", "bfloat16")


def _computing(x: Tensor) -> tuple[Tensor, str]:
    """Return `x` in the dtype to compute in, and its own.

    Squares of 16-bit floats overflow or lose all digits.
    """
    x = ops.convert_to_tensor(x)
    dtype = ops.dtype(x)
    if "float" not in dtype:
        x, dtype = ops.multiply(x, 1.0), config.floatx()
    return (ops.cast(x, "float32") if dtype in _SMALL_FLOATS else x), dtype


def _along(
    op_name: str, what: str, value: Any, x: Tensor, axes: tuple[int, ...]
) -> Any:
    """Return statistics or weights over `axes` so that they broadcast against `x`."""
    value = ops.cast(ops.convert_to_tensor(value), ops.dtype(x))
    given = tuple(value.shape)
    expected = tuple(x.shape[a] for a in axes)
    if given not in (expected, (1,) * len(axes)):
        raise ShapeError(_mismatch(op_name, what, expected, axes, x, given))
    shape = [1] * len(x.shape)
    for a, n in zip(axes, given, strict=True):
        shape[a] = n
    return ops.reshape(value, tuple(shape))


def _mismatch(
    op_name: str, what: str, expected: Any, axes: tuple[int, ...], x: Tensor, given: Any
) -> str:
    return (
        f"polykeras.ops.{op_name} expected {what} of shape {expected}, the sizes of "
        f"axes {axes} of the input {tuple(x.shape)}, got shape {given}."
    )


@op(inexact="x mean variance offset scale")
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """Subtract a mean and divide by a standard deviation, one for each feature.

    Args:
        x: A tensor of any shape.
        mean: One value a feature, ``(x.shape[axis],)``.
        variance: Likewise.
        axis: The axis of the features.
        offset: Added to the result, or None.
        scale: Multiplied with the normalised values, or None.
        epsilon: Added to the variance.

    Returns:
        A tensor of the shape of `x`.

    Raises:
        ShapeError: If a statistic or weight has another shape.

    Reference: Ioffe and Szegedy, 2015, "Batch Normalization", algorithm 1.

    >>> import polykeras as keras
    >>> y = keras.ops.batch_normalization([[3.0]], [1.0], [4.0], -1, epsilon=0.0)
    >>> float(y[0, 0])
    1.0
    """
    wide, dtype = _computing(x)
    name = "batch_normalization"
    axes = (canonical_axis(name, axis, len(wide.shape)),)
    centre = _along(name, "mean", mean, wide, axes)
    spread = ops.add(_along(name, "variance", variance, wide, axes), epsilon)
    factor = ops.rsqrt(spread)
    if scale is not None:
        factor = ops.multiply(factor, _along(name, "scale", scale, wide, axes))
    out = ops.multiply(ops.subtract(wide, centre), factor)
    if offset is not None:
        out = ops.add(out, _along(name, "offset", offset, wide, axes))
    return ops.cast(out, dtype)


@batch_normalization.prepare
def _(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor | None,
    scale: Tensor | None,
    epsilon: float,
) -> tuple[Any, ...]:
    along = _checked_axis(
        "batch_normalization",
        x,
        axis,
        **{"mean": mean, "variance": variance, "offset": offset, "scale": scale},
    )
    return x, mean, variance, along, offset, scale, epsilon


def _checked_axis(name: str, x: Tensor, axis: int, **weights: Tensor | None) -> int:
    """Return the axis of the features from 0 up; weights have one value for each."""
    along = canonical_axis(name, axis, len(x.shape))
    expected = (x.shape[along],)
    for what, value in weights.items():
        if value is not None and tuple(value.shape) != expected:
            shape = tuple(value.shape)
            raise ShapeError(_mismatch(name, what, expected, (along,), x, shape))
    return along


@op(inexact="x offset scale")
def batch_normalization_training(
    x: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise each feature by its own mean and variance over all other axes.

    Args:
        x: A tensor of any shape.
        axis: The axis of the features.
        offset: Added to the result, ``(x.shape[axis],)``, or None.
        scale: Multiplied with the normalised values, likewise.
        epsilon: Added to the variance.

    Returns:
        A tensor of the shape of `x`, and mean and variance of each feature,
        ``(x.shape[axis],)``.

    Raises:
        ShapeError: If a weight has another shape.

    Reference: Ioffe and Szegedy, 2015, "Batch Normalization", algorithm 1.

    >>> import polykeras as keras
    >>> y, mean, variance = keras.ops.batch_normalization_training(
    ...     [[1.0], [5.0]], axis=-1, epsilon=0.0
    ... )
    >>> y.tolist(), float(mean[0]), float(variance[0])
    ([[-1.0], [1.0]], 3.0, 4.0)
    """
    wide, dtype = _computing(x)
    along = canonical_axis("batch_normalization_training", axis, len(wide.shape))
    # A variance beyond the largest number of a small float is none in float32.
    mean, variance = ops.moments(wide, _others(wide, along))
    offset, scale = (
        weight if weight is None else ops.cast(weight, ops.dtype(wide))
        for weight in (offset, scale)
    )
    out = ops.batch_normalization(wide, mean, variance, along, offset, scale, epsilon)
    return ops.cast(out, dtype), ops.cast(mean, dtype), ops.cast(variance, dtype)


def _others(x: Tensor, axis: int) -> tuple[int, ...]:
    return tuple(i for i in range(len(x.shape)) if i != axis)


@batch_normalization_training.prepare
def _(
    x: Tensor, axis: int, offset: Tensor | None, scale: Tensor | None, epsilon: float
) -> tuple[Any, ...]:
    name = "batch_normalization_training"
    along = _checked_axis(name, x, axis, offset=offset, scale=scale)
    return x, along, offset, scale, epsilon


@batch_normalization_training.joint_vjp("x", "offset", "scale")
def _(
    g: tuple[Tensor, Tensor, Tensor],
    out: tuple[Tensor, Tensor, Tensor],
    x: Tensor,
    axis: int,
    offset: Tensor | None,
    scale: Tensor | None,
    epsilon: float,
) -> tuple[Tensor | None, ...]:
    # Ioffe and Szegedy, section 3, with all that is one number a feature put together.
    wide, dtype = _computing(x)
    name = "batch_normalization_training"
    to_out, to_mean, to_variance = (ops.cast(part, ops.dtype(wide)) for part in g)
    over = _others(wide, axis)
    count = max(math.prod(wide.shape[i] for i in over), 1)

    def across(value: Tensor) -> Tensor:
        return _along(name, "statistics", value, wide, (axis,))

    if wide is x:
        mean, variance = out[1:]
    else:
        mean, variance = ops.moments(wide, over)
    away = ops.subtract(wide, across(mean))
    factor = ops.rsqrt(ops.add(variance, epsilon))
    doffset = ops.sum(to_out, over)
    dscale = ops.multiply(ops.sum(ops.multiply(to_out, away), over), factor)
    slope = (
        factor
        if scale is None
        else ops.multiply(factor, ops.cast(scale, ops.dtype(wide)))
    )
    level = ops.subtract(to_mean, ops.multiply(slope, doffset))
    tilt = ops.subtract(
        ops.multiply(to_variance, 2.0),
        ops.multiply(ops.multiply(slope, dscale), factor),
    )
    dx = ops.multiply(to_out, across(slope))
    dx = ops.add(dx, ops.multiply(away, across(ops.divide(tilt, count))))
    dx = ops.add(dx, across(ops.divide(level, count)))
    return (
        ops.cast(dx, dtype),
        None if offset is None else ops.cast(doffset, dtype),
        None if scale is None else ops.cast(dscale, dtype),
    )


@op(inexact="x gamma beta")
def layer_normalization(
    x: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: Any = -1,
    epsilon: float | None = None,
) -> Tensor:
    """Give each sample mean 0 and variance 1 over its features.

    Args:
        x: A tensor of any shape.
        gamma: Multiplied with the normalised values; its shape is that of `x` over
            `axis`. None leaves it out.
        beta: Added to the result, likewise.
        axis: An axis or a tuple of axes.
        epsilon: Added to the variance; None means `config.epsilon`.

    Returns:
        A tensor of the shape of `x`; `beta` where the variance overflows.

    Raises:
        ShapeError: If a weight has another shape.

    Reference: Ba, Kiros and Hinton, 2016, "Layer Normalization".

    >>> import polykeras as keras
    >>> y = keras.ops.layer_normalization([[1.0, 3.0]], epsilon=0.0)
    >>> keras.ops.convert_to_numpy(y).tolist()
    [[-1.0, 1.0]]
    """
    wide, dtype = _computing(x)
    name = "layer_normalization"
    axes = canonical_axes(name, axis, len(wide.shape))
    normal, _ = _standardized(wide, axes, _epsilon(epsilon))
    if gamma is not None:
        normal = ops.multiply(normal, _along(name, "gamma", gamma, wide, axes))
    if beta is not None:
        normal = ops.add(normal, _along(name, "beta", beta, wide, axes))
    return ops.cast(normal, dtype)


def _epsilon(value: float | None) -> float:
    return config.epsilon() if value is None else value


def _standardized(
    x: Tensor, axes: tuple[int, ...], epsilon: float
) -> tuple[Tensor, Tensor]:
    """Return normalised values and one over the standard deviation."""
    centred = ops.subtract(x, ops.mean(x, axes, keepdims=True))
    factor = _inverse_root(centred, axes, epsilon)
    return ops.multiply(centred, factor), factor


def _prepared(
    name: str, x: Tensor, axis: Any, epsilon: float | None, **weights: Tensor | None
) -> tuple[tuple[int, ...], float]:
    axes = canonical_axes(name, axis, len(x.shape))
    expected = tuple(x.shape[a] for a in axes)
    for what, value in weights.items():
        if value is not None and tuple(value.shape) not in (expected, (1,) * len(axes)):
            shape = tuple(value.shape)
            raise ShapeError(_mismatch(name, what, expected, axes, x, shape))
    return axes, _epsilon(epsilon)


@layer_normalization.prepare
def _(
    x: Tensor,
    gamma: Tensor | None,
    beta: Tensor | None,
    axis: Any,
    epsilon: float | None,
) -> tuple[Any, ...]:
    axes, small = _prepared(
        "layer_normalization", x, axis, epsilon, gamma=gamma, beta=beta
    )
    return x, gamma, beta, axes, small


@layer_normalization.joint_vjp("x", "gamma", "beta")
def _(
    g: Tensor,
    out: Tensor,
    x: Tensor,
    gamma: Tensor | None,
    beta: Tensor | None,
    axis: tuple[int, ...],
    epsilon: float,
) -> tuple[Tensor | None, ...]:
    wide, dtype = _computing(x)
    normal, factor = _standardized(wide, axis, epsilon)
    g = ops.cast(g, ops.dtype(wide))
    dgamma = dbeta = None
    if beta is not None:
        dbeta = ops.cast(_to_weight(g, beta, axis), dtype)
    if gamma is not None:
        dgamma = ops.cast(_to_weight(ops.multiply(g, normal), gamma, axis), dtype)
        g = ops.multiply(g, _along("layer_normalization", "gamma", gamma, wide, axis))
    centre = ops.mean(g, axis, keepdims=True)
    slope = ops.mean(ops.multiply(g, normal), axis, keepdims=True)
    inner = ops.subtract(ops.subtract(g, centre), ops.multiply(normal, slope))
    return ops.cast(ops.multiply(inner, factor), dtype), dgamma, dbeta


def _to_weight(g: Tensor, weight: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Sum a gradient over everything that a weight is shared by."""
    rest = tuple(i for i in range(len(g.shape)) if i not in axes)
    g = ops.sum(g, rest) if rest else g
    return (
        g
        if tuple(g.shape) == tuple(weight.shape)
        else ops.reshape(ops.sum(g), tuple(weight.shape))
    )


@op(inexact="x scale")
def rms_normalization(
    x: Tensor,
    scale: Tensor | None = None,
    axis: Any = -1,
    epsilon: float | None = None,
) -> Tensor:
    """Divide each sample by the root of the mean square of its features.

    Args:
        x: A tensor of any shape.
        scale: Multiplied with the result; its shape is that of `x` over `axis`. None
            leaves it out.
        axis: An axis or a tuple of axes.
        epsilon: Added to the mean square; None means `config.epsilon`.

    Returns:
        A tensor of the shape of `x`; 0 where the mean square overflows.

    Raises:
        ShapeError: If `scale` has another shape.

    Reference: Zhang and Sennrich, 2019, "Root Mean Square Layer Normalization".

    >>> import polykeras as keras
    >>> y = keras.ops.rms_normalization([[2.0, -2.0]], epsilon=0.0)
    >>> keras.ops.convert_to_numpy(y).tolist()
    [[1.0, -1.0]]
    """
    wide, dtype = _computing(x)
    name = "rms_normalization"
    axes = canonical_axes(name, axis, len(wide.shape))
    out = ops.multiply(wide, _inverse_root(wide, axes, _epsilon(epsilon)))
    if scale is not None:
        out = ops.multiply(out, _along(name, "scale", scale, wide, axes))
    return ops.cast(out, dtype)


def _inverse_root(x: Tensor, axes: tuple[int, ...], epsilon: float) -> Tensor:
    """Return one over the root of the mean square."""
    square = ops.mean(ops.square(x), axes, keepdims=True)
    return ops.rsqrt(ops.add(square, epsilon))


@rms_normalization.prepare
def _(
    x: Tensor, scale: Tensor | None, axis: Any, epsilon: float | None
) -> tuple[Any, ...]:
    axes, small = _prepared("rms_normalization", x, axis, epsilon, scale=scale)
    return x, scale, axes, small


@rms_normalization.joint_vjp("x", "scale")
def _(
    g: Tensor,
    out: Tensor,
    x: Tensor,
    scale: Tensor | None,
    axis: tuple[int, ...],
    epsilon: float,
) -> tuple[Tensor | None, ...]:
    wide, dtype = _computing(x)
    factor = _inverse_root(wide, axis, epsilon)
    normal = ops.multiply(wide, factor)
    g = ops.cast(g, ops.dtype(wide))
    dscale = None
    if scale is not None:
        dscale = ops.cast(_to_weight(ops.multiply(g, normal), scale, axis), dtype)
        g = ops.multiply(g, _along("rms_normalization", "scale", scale, wide, axis))
    slope = ops.mean(ops.multiply(g, normal), axis, keepdims=True)
    inner = ops.subtract(g, ops.multiply(normal, slope))
    return ops.cast(ops.multiply(inner, factor), dtype), dscale
