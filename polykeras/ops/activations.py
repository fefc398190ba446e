"""Activation functions."""

from __future__ import annotations

import math
from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.ops._declare import op
from polykeras.ops._shapes import canonical_axes, canonical_axis

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh_shrink",
    "threshold",
]

_SELU_ALPHA: Final = 1.6732632423543772848170429916717
_SELU_SCALE: Final = 1.0507009873554804934193349852946
_GELU_SCALE: Final = math.sqrt(2.0 / math.pi)
_GELU_CUBIC: Final = 0.044715
_SQRT_HALF: Final = math.sqrt(0.5)
_NORMAL_DENSITY: Final = 1.0 / math.sqrt(2.0 * math.pi)


# -- rectifiers --------------------------------------------------------------------


@op(common="x")
def relu(x: Tensor) -> Tensor:
    """Return the larger of each value and 0; the gradient at 0 is 0.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.relu([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 2.0]
    """
    return ops.maximum(x, 0)


@relu.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return ops.where(ops.greater(x, 0), g, 0)


@op(common="x")
def relu6(x: Tensor) -> Tensor:
    """Return each value clipped to [0, 6]; the gradient at the ends is 0.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.relu6([-1.0, 4.0, 9.0])).tolist()
    [0.0, 4.0, 6.0]
    """
    return _between(x, 0, 6)


def _between(x: Tensor, low: float, high: float) -> Tensor:
    """Clip, with gradient 0 at and beyond the ends, on every backend."""
    x = ops.convert_to_tensor(x)
    inner = ops.where(ops.less(x, high), x, high)
    return ops.where(ops.less_equal(inner, low), low, inner)


@op(inexact="x")
def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """Return each value, those below 0 multiplied by a slope.

    Args:
        x: A tensor of any shape.
        negative_slope: The slope below 0; also the gradient at 0.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.leaky_relu([-1.0, 2.0], 0.5)).tolist()
    [-0.5, 2.0]
    """
    x = _inexact(x)
    return ops.where(ops.greater(x, 0), x, ops.multiply(x, negative_slope))


def _inexact(x: Tensor) -> Tensor:
    """Return `x` as a tensor of floats: what a body does with integers."""
    x = ops.convert_to_tensor(x)
    return ops.multiply(x, 1.0) if "float" not in ops.dtype(x) else x


@op(inexact="x")
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Return each value, those below 0 as ``alpha * (exp(x) - 1)``.

    Args:
        x: A tensor of any shape.
        alpha: Minus the limit towards minus infinity.

    Reference: Clevert, Unterthiner and Hochreiter, 2016, "Fast and Accurate Deep
    Network Learning by Exponential Linear Units".

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.elu([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    x = _inexact(x)
    positive = ops.greater(x, 0)
    # The exponential must not overflow where it is not used: inf * 0 in gradients.
    below = ops.expm1(ops.where(positive, 0, x))
    return ops.where(positive, x, ops.multiply(below, alpha))


@op(inexact="x")
def selu(x: Tensor) -> Tensor:
    """Return a scaled `elu` that keeps mean 0 and variance 1 through deep networks.

    Args:
        x: A tensor of any shape.

    Reference: Klambauer et al., 2017, "Self-Normalizing Neural Networks", equation 2.

    >>> import polykeras as keras
    >>> round(float(keras.ops.selu(1.0)), 4)
    1.0507
    """
    return ops.multiply(elu(x, _SELU_ALPHA), _SELU_SCALE)


@op(inexact="x")
def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Return ``max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)``.

    Args:
        x: A tensor of any shape.
        alpha: Scale of the negative part.

    Reference: Barron, 2017, "Continuously Differentiable Exponential Linear Units".

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.celu([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    x = _inexact(x)
    positive = ops.greater(x, 0)
    below = ops.expm1(ops.divide(ops.where(positive, 0, x), alpha))
    return ops.where(positive, x, ops.multiply(below, alpha))


# -- smooth ------------------------------------------------------------------------


@op(inexact="x")
def sigmoid(x: Tensor) -> Tensor:
    """Return ``1 / (1 + exp(-x))``, accurate in both tails.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> float(keras.ops.sigmoid(0.0))
    0.5
    """
    small = ops.exp(ops.negative(ops.abs(_inexact(x))))
    return ops.divide(ops.where(ops.greater_equal(x, 0), 1, small), ops.add(small, 1))


@sigmoid.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return ops.multiply(g, ops.multiply(out, ops.subtract(1, out)))


@op(inexact="x")
def log_sigmoid(x: Tensor) -> Tensor:
    """Return the logarithm of `sigmoid`, without overflow.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> float(keras.ops.log_sigmoid(-1000.0))
    -1000.0
    """
    return ops.negative(softplus(ops.negative(x)))


@op(inexact="x")
def softplus(x: Tensor) -> Tensor:
    """Return ``log(1 + exp(x))``, without overflow.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> float(keras.ops.softplus(1000.0))
    1000.0
    """
    x = _inexact(x)
    small = ops.exp(ops.negative(ops.abs(x)))
    return ops.add(ops.maximum(x, 0), ops.log1p(small))


@softplus.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return ops.multiply(g, sigmoid(x))


@op(inexact="x")
def silu(x: Tensor) -> Tensor:
    """Return ``x * sigmoid(x)``.

    Args:
        x: A tensor of any shape.

    Reference: Elfwing, Uchibe and Doya, 2018, "Sigmoid-weighted linear units".

    >>> import polykeras as keras
    >>> float(keras.ops.silu(0.0))
    0.0
    """
    return ops.multiply(x, sigmoid(x))


@silu.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    s = sigmoid(x)
    slope = ops.add(s, ops.multiply(out, ops.subtract(1, s)))
    return ops.multiply(g, slope)


@op(inexact="x")
def swish(x: Tensor) -> Tensor:
    """Return ``x * sigmoid(x)``: another name of `silu`.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> float(keras.ops.swish(0.0))
    0.0
    """
    return silu(x)


@op(inexact="x")
def gelu(x: Tensor, approximate: bool = True) -> Tensor:
    """Return ``x`` times the probability that a standard normal lies below it.

    Args:
        x: A tensor of any shape.
        approximate: Whether to use the approximation by tanh instead of erf.

    Reference: Hendrycks and Gimpel, 2016, "Gaussian Error Linear Units".

    >>> import polykeras as keras
    >>> round(float(keras.ops.gelu(1.0)), 4)
    0.8412
    """
    x = _inexact(x)
    if approximate:
        cubic = ops.multiply(ops.multiply(x, x), _GELU_CUBIC)
        inner = ops.multiply(ops.multiply(x, ops.add(cubic, 1)), _GELU_SCALE)
        below = ops.add(ops.tanh(inner), 1)
    else:
        below = ops.add(ops.erf(ops.multiply(x, _SQRT_HALF)), 1)
    return ops.multiply(ops.multiply(x, 0.5), below)


@gelu.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, approximate: bool = True) -> Tensor:
    square = ops.multiply(x, x)
    if approximate:
        inner = ops.multiply(x, ops.add(ops.multiply(square, _GELU_CUBIC), 1))
        t = ops.tanh(ops.multiply(inner, _GELU_SCALE))
        inner_slope = ops.multiply(
            ops.add(ops.multiply(square, 3 * _GELU_CUBIC), 1), _GELU_SCALE
        )
        rising = ops.multiply(ops.subtract(1, ops.multiply(t, t)), inner_slope)
        slope = ops.multiply(ops.add(ops.add(t, 1), ops.multiply(x, rising)), 0.5)
    else:
        below = ops.multiply(ops.add(ops.erf(ops.multiply(x, _SQRT_HALF)), 1), 0.5)
        density = ops.multiply(ops.exp(ops.multiply(square, -0.5)), _NORMAL_DENSITY)
        slope = ops.add(below, ops.multiply(x, density))
    return ops.multiply(g, slope)


@op(inexact="x")
def softsign(x: Tensor) -> Tensor:
    """Return ``x / (1 + |x|)``.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> float(keras.ops.softsign(1.0))
    0.5
    """
    return ops.divide(x, ops.add(ops.abs(x), 1))


@op(inexact="x")
def squareplus(x: Tensor, b: float = 4) -> Tensor:
    """Return ``(x + sqrt(x^2 + b)) / 2``.

    Args:
        x: A tensor of any shape.
        b: How smooth the bend at 0 is.

    Reference: Barron, 2021, "Squareplus: A Softplus-Like Algebraic Rectifier".

    >>> import polykeras as keras
    >>> float(keras.ops.squareplus(0.0))
    1.0
    """
    x = _inexact(x)
    root = ops.sqrt(ops.add(ops.multiply(x, x), b))
    return ops.multiply(ops.add(x, root), 0.5)


@op(inexact="x")
def tanh_shrink(x: Tensor) -> Tensor:
    """Return ``x - tanh(x)``.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> float(keras.ops.tanh_shrink(0.0))
    0.0
    """
    return ops.subtract(x, ops.tanh(x))


@op(inexact="x")
def glu(x: Tensor, axis: int = -1) -> Tensor:
    """Return the first half of an axis times the sigmoid of the second.

    Args:
        x: A tensor whose `axis` has even size.
        axis: The axis to halve.

    Returns:
        A tensor with half the size along `axis`.

    Raises:
        ShapeError: If the size is odd.

    Reference: Dauphin et al., 2017, "Language Modeling with Gated Convolutional
    Networks".

    >>> import polykeras as keras
    >>> keras.ops.glu(keras.ops.ones((2, 6))).shape
    (2, 3)
    """
    x = ops.convert_to_tensor(x)
    along = canonical_axis("glu", axis, len(x.shape))
    size = x.shape[along]
    if size % 2:
        raise ShapeError(
            f"polykeras.ops.glu expected an even size along axis {axis}, got shape "
            f"{tuple(x.shape)}."
        )
    value, gate = ops.split(x, 2, axis=along)
    return ops.multiply(value, sigmoid(gate))


# -- piecewise ---------------------------------------------------------------------


@op(inexact="x")
def hard_sigmoid(x: Tensor) -> Tensor:
    """Return ``relu6(x + 3) / 6``, straight lines in place of `sigmoid`.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> float(keras.ops.hard_sigmoid(0.0))
    0.5
    """
    return ops.divide(relu6(ops.add(_inexact(x), 3)), 6)


@op(inexact="x")
def hard_silu(x: Tensor) -> Tensor:
    """Return ``x * hard_sigmoid(x)``.

    Args:
        x: A tensor of any shape.

    Reference: Howard et al., 2019, "Searching for MobileNetV3", section 5.2.

    >>> import polykeras as keras
    >>> float(keras.ops.hard_silu(3.0))
    3.0
    """
    return ops.multiply(x, hard_sigmoid(x))


@op(inexact="x")
def hard_swish(x: Tensor) -> Tensor:
    """Return ``x * hard_sigmoid(x)``: another name of `hard_silu`.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> float(keras.ops.hard_swish(3.0))
    3.0
    """
    return hard_silu(x)


@op(common="x")
def hard_tanh(x: Tensor) -> Tensor:
    """Return each value clipped to [-1, 1]; the gradient at the ends is 0.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.hard_tanh([-3.0, 0.5])).tolist()
    [-1.0, 0.5]
    """
    return _between(x, -1, 1)


@op(inexact="x")
def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """Return each value, those within `threshold` of 0 as 0.

    Args:
        x: A tensor of any shape.
        threshold: Half the width of the band.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.hard_shrink([-0.5, 2.0])).tolist()
    [0.0, 2.0]
    """
    x = _inexact(x)
    return ops.where(ops.greater(ops.abs(x), threshold), x, 0)


@op(inexact="x")
def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """Return each value moved towards 0 by `threshold`, at most to 0.

    Args:
        x: A tensor of any shape.
        threshold: How far.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.soft_shrink([-0.5, 2.0])).tolist()
    [0.0, 1.5]
    """
    x = _inexact(x)
    above = ops.where(ops.greater(x, threshold), ops.subtract(x, threshold), 0)
    return ops.where(ops.less(x, -threshold), ops.add(x, threshold), above)


@op(common="x")
def threshold(x: Tensor, threshold: float, default_value: float) -> Tensor:
    """Return values above a threshold, and a default in place of the others.

    Args:
        x: A tensor of any shape.
        threshold: Values must exceed it.
        default_value: What replaces the others.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.threshold([1.0, 2.0], 1.0, -1.0)).tolist()
    [-1.0, 2.0]
    """
    x = ops.convert_to_tensor(x)
    return ops.where(ops.greater(x, threshold), x, default_value)


@op(inexact="x")
def sparse_plus(x: Tensor) -> Tensor:
    """Return 0 below -1, ``(x + 1)^2 / 4`` up to 1, and ``x`` above.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sparse_plus([-2.0, 1.0, 3.0])).tolist()
    [0.0, 1.0, 3.0]
    """
    x = _inexact(x)
    middle = ops.multiply(ops.square(ops.add(x, 1)), 0.25)
    return ops.where(ops.less_equal(x, -1), 0, ops.where(ops.less(x, 1), middle, x))


@op(inexact="x")
def sparse_sigmoid(x: Tensor) -> Tensor:
    """Return 0 below -1, ``(x + 1) / 2`` up to 1, and 1 above.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sparse_sigmoid([-2.0, 0.0])).tolist()
    [0.0, 0.5]
    """
    return _between(ops.multiply(ops.add(_inexact(x), 1), 0.5), 0, 1)


# -- distributions over an axis ----------------------------------------------------


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
    x = _inexact(x)
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
