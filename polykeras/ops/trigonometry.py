"""Circular and hyperbolic functions, and their inverses."""

from __future__ import annotations

import math

from polykeras.backend import Tensor
from polykeras.ops._declare import op, primitive
from polykeras.ops._rules import binary, unary
from polykeras.ops.arithmetic import add, divide, multiply, negative, square, subtract
from polykeras.ops.comparison import equal, where
from polykeras.ops.exponential import hypot, sqrt

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cos",
    "cosh",
    "deg2rad",
    "rad2deg",
    "sin",
    "sinh",
    "tan",
    "tanh",
]


def _one_minus_square(x: Tensor) -> Tensor:
    # As a product: the square alone would lose the digits near 1.
    return multiply(subtract(1, x), add(x, 1))


@primitive(inexact="x")
def sin(x: Tensor) -> Tensor:
    """Return the sine of each angle, given in radians.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """


@sin.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return multiply(g, cos(x))


@primitive(inexact="x")
def cos(x: Tensor) -> Tensor:
    """Return the cosine of each angle, given in radians.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """


@cos.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return negative(multiply(g, sin(x)))


@primitive(inexact="x")
def tan(x: Tensor) -> Tensor:
    """Return the tangent of each angle, given in radians.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """


@tan.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return multiply(g, add(square(out), 1))


@primitive(inexact="x")
def arcsin(x: Tensor) -> Tensor:
    """Return the angle in [-pi/2, pi/2] whose sine is each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`; NaN outside [-1, 1].
    """


@arcsin.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return divide(g, sqrt(_one_minus_square(x)))


@primitive(inexact="x")
def arccos(x: Tensor) -> Tensor:
    """Return the angle in [0, pi] whose cosine is each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`; NaN outside [-1, 1].
    """


@arccos.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return negative(divide(g, sqrt(_one_minus_square(x))))


@primitive(inexact="x")
def arctan(x: Tensor) -> Tensor:
    """Return the angle in (-pi/2, pi/2) whose tangent is each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """


@arctan.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return divide(g, add(square(x), 1))


@primitive(inexact="x")
def sinh(x: Tensor) -> Tensor:
    """Return the hyperbolic sine of each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """


@sinh.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return multiply(g, cosh(x))


@primitive(inexact="x")
def cosh(x: Tensor) -> Tensor:
    """Return the hyperbolic cosine of each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """


@cosh.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return multiply(g, sinh(x))


@primitive(inexact="x")
def tanh(x: Tensor) -> Tensor:
    """Return the hyperbolic tangent of each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """


@tanh.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return multiply(g, _one_minus_square(out))


@primitive(inexact="x")
def arcsinh(x: Tensor) -> Tensor:
    """Return the value whose hyperbolic sine is each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """


@arcsinh.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return divide(g, sqrt(add(square(x), 1)))


@primitive(inexact="x")
def arccosh(x: Tensor) -> Tensor:
    """Return the value of at least 0 whose hyperbolic cosine is each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`; NaN below 1.
    """


@arccosh.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return divide(g, sqrt(multiply(subtract(x, 1), add(x, 1))))


@primitive(inexact="x")
def arctanh(x: Tensor) -> Tensor:
    """Return the value whose hyperbolic tangent is each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`; NaN outside [-1, 1].
    """


@arctanh.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return divide(g, _one_minus_square(x))


@primitive(inexact="x1 x2", elementwise=True)
def arctan2(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the angle of the point with height `x1` and width `x2`, in (-pi, pi].

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A float tensor of the broadcast shape; its gradient at the origin is 0.

    >>> import polykeras as keras
    >>> round(float(keras.ops.arctan2(1.0, -1.0)), 4)
    2.3562
    """


arctan2.abstract(binary("arctan2", refused="complex"))


@arctan2.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return multiply(g, _over_square(x2, x1, x2))


@arctan2.vjp("x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return negative(multiply(g, _over_square(x1, x1, x2)))


def _over_square(x: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    """Divide by the square of a distance from the origin, which may be no number."""
    distance = hypot(x1, x2)
    distance = where(equal(distance, 0), 1, distance)
    return divide(divide(x, distance), distance)


@op(inexact="x")
def deg2rad(x: Tensor) -> Tensor:
    """Return angles given in degrees in radians.

    Args:
        x: A real tensor of any shape; integers become floats.

    Returns:
        A float tensor of the shape of `x`.
    """
    return multiply(x, math.pi / 180)


@op(inexact="x")
def rad2deg(x: Tensor) -> Tensor:
    """Return angles given in radians in degrees.

    Args:
        x: A real tensor of any shape; integers become floats.

    Returns:
        A float tensor of the shape of `x`.
    """
    return multiply(x, 180 / math.pi)


for _function in (
    sin,
    cos,
    tan,
    arcsin,
    arccos,
    arctan,
    sinh,
    cosh,
    tanh,
    arcsinh,
    arccosh,
    arctanh,
):
    _function.abstract(unary(_function.__name__))
for _conversion in (deg2rad, rad2deg):
    _conversion.abstract(unary(_conversion.__name__, refused="complex"))
