"""Activation functions."""

from __future__ import annotations

import math
from typing import Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.ops._declare import op
from polykeras.ops._shapes import canonical_axis

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "leaky_relu",
    "log_sigmoid",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "squareplus",
    "swish",
    "tanh_shrink",
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
    # The result tells as much, so nobody needs the argument any more.
    return ops.where(ops.greater(out, 0), g, 0)


@op(common="x")
def relu6(x: Tensor) -> Tensor:
    """Return each value clipped to [0, 6]; the gradient at the ends is 0.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.relu6([-1.0, 4.0, 9.0])).tolist()
    [0.0, 4.0, 6.0]
    """
    return between(x, 0, 6)


def between(x: Tensor, low: float, high: float) -> Tensor:
    """Clip, with gradient 0 at and beyond the ends, on every backend."""
    x = ops.convert_to_tensor(x)
    inner = ops.where(ops.greater_equal(x, high), high, x)
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
    x = as_inexact(x)
    return ops.where(ops.greater(x, 0), x, ops.multiply(x, negative_slope))


def as_inexact(x: Tensor) -> Tensor:
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
    x = as_inexact(x)
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
    x = as_inexact(x)
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
    small = ops.exp(ops.negative(ops.abs(as_inexact(x))))
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
    x = as_inexact(x)
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
    x = as_inexact(x)
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
    x = as_inexact(x)
    # Half of each before they are added, and no square: neither may overflow.
    half = ops.multiply(x, 0.5)
    return ops.add(half, ops.hypot(half, 0.5 * b**0.5))


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
