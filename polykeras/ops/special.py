"""The error function and other special functions, and tests of closeness.

Reference: Clenshaw, 1962, "Chebyshev Series for Mathematical Functions", for `i0`.
"""

from __future__ import annotations

import math
from typing import Final

from polykeras.backend import Tensor
from polykeras.ops._declare import op, primitive
from polykeras.ops._registry import REGISTRY
from polykeras.ops._rules import promoted, unary
from polykeras.ops.arithmetic import add, divide, multiply, negative, square, subtract
from polykeras.ops.comparison import equal, isfinite, isnan, less, less_equal, where
from polykeras.ops.exponential import exp, sqrt
from polykeras.ops.logical import logical_and, logical_or
from polykeras.ops.rounding import abs
from polykeras.ops.trigonometry import cos, sin

__all__ = ["allclose", "erf", "erfc", "erfinv", "i0", "isclose", "sinc"]

_SLOPE: Final = 2 / math.sqrt(math.pi)
# The derivative of sin(a)/a is a times this series in a**2.
_SINC_SLOPE: Final = tuple(
    (-1) ** k * 2 * k / math.factorial(2 * k + 1) for k in range(1, 10)
)


@primitive(inexact="x")
def erf(x: Tensor) -> Tensor:
    """Return the error function of each value.

    Args:
        x: A real tensor of any shape; integers become floats.

    Returns:
        A float tensor of the shape of `x`, with values in [-1, 1].

    >>> import polykeras as keras
    >>> round(float(keras.ops.erf(1.0)), 4)
    0.8427
    """


@erf.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return multiply(g, multiply(exp(negative(square(x))), _SLOPE))


@op(inexact="x")
def erfc(x: Tensor) -> Tensor:
    """Return one minus the error function of each value.

    Args:
        x: A real tensor of any shape; integers become floats.

    Returns:
        A float tensor of the shape of `x`, with values in [0, 2].
    """
    return subtract(1, erf(x))


@erfc.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return multiply(g, multiply(exp(negative(square(x))), -_SLOPE))


@primitive(inexact="x")
def erfinv(x: Tensor) -> Tensor:
    """Return the value whose error function is each value.

    Args:
        x: A real tensor of any shape; integers become floats.

    Returns:
        A float tensor of the shape of `x`; infinite at -1 and 1, NaN outside.
    """


@erfinv.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return multiply(g, multiply(exp(square(out)), 1 / _SLOPE))


for _function in (erf, erfc, erfinv):
    _function.abstract(unary(_function.__name__, refused="complex"))


@op(inexact="x")
def sinc(x: Tensor) -> Tensor:
    """Return ``sin(pi x) / (pi x)``, which is 1 at 0.

    Args:
        x: A real tensor of any shape; integers become floats.

    Returns:
        A float tensor of the shape of `x`.
    """
    (x,) = promoted(x, inexact=True)
    zero = equal(x, 0)
    angle = multiply(where(zero, 1, x), math.pi)
    return where(zero, 1, divide(sin(angle), angle))


@sinc.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    # Near 0 the difference of the terms is a small part of them: a series there.
    near = less(abs(x), 0.25)
    angle = multiply(where(near, x, 0), math.pi)
    total: Tensor = _SINC_SLOPE[-1]
    for c in reversed(_SINC_SLOPE[:-1]):
        total = add(multiply(total, square(angle)), c)
    series = multiply(multiply(angle, math.pi), total)
    far = where(near, 1, x)
    return multiply(
        g, where(near, series, divide(subtract(cos(multiply(far, math.pi)), out), far))
    )


@op(inexact="x")
def i0(x: Tensor) -> Tensor:
    """Return the modified Bessel function of the first kind of order 0.

    Args:
        x: A real tensor of any shape; integers become floats.

    Returns:
        A float tensor of the shape of `x`.

    >>> import polykeras as keras
    >>> round(float(keras.ops.i0(1.0)), 4)
    1.2661
    """
    x = abs(*promoted(x, inexact=True))
    near = less_equal(x, 8)
    inside, outside = where(near, x, 8), where(near, 8, x)
    low = _chebyshev(subtract(divide(inside, 2), 2), _I0_TO_8)
    high = divide(
        _chebyshev(subtract(divide(32, outside), 2), _I0_FROM_8), sqrt(outside)
    )
    return multiply(exp(x), where(near, low, high))


def _chebyshev(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    """Sum a Chebyshev series in ``x / 2`` by Clenshaw's recurrence."""
    b0: Tensor = coefficients[0]
    b1: Tensor = 0.0
    b2: Tensor = 0.0
    for c in coefficients[1:]:
        b2, b1 = b1, b0
        b0 = add(subtract(multiply(x, b1), b2), c)
    return multiply(subtract(b0, b2), 0.5)


@op(common="x1 x2", differentiable=False)
def isclose(
    x1: Tensor,
    x2: Tensor,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """Return where ``abs(x1 - x2) <= atol + rtol * abs(x2)``.

    Args:
        x1, x2: Tensors whose shapes broadcast.
        rtol: Allowed difference relative to `x2`.
        atol: Allowed difference besides.
        equal_nan: Whether NaN is close to NaN.

    Returns:
        A boolean tensor of the broadcast shape; an infinity is close to itself only.

    >>> import polykeras as keras
    >>> keras.ops.isclose([1.0, 2.0], [1.000001, 2.1]).tolist()
    [True, False]
    """
    x1, x2 = promoted(x1, x2, inexact=True)
    finite = logical_and(isfinite(x1), isfinite(x2))
    gap = subtract(where(finite, x1, 0), where(finite, x2, 0))
    allowed = add(multiply(abs(x2), rtol), atol)
    near = logical_and(finite, less_equal(abs(gap), allowed))
    near = logical_or(near, equal(x1, x2))
    if equal_nan:
        near = logical_or(near, logical_and(isnan(x1), isnan(x2)))
    return near


@op(common="x1 x2", differentiable=False)
def allclose(
    x1: Tensor,
    x2: Tensor,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """Return whether all values of two tensors are close, as `isclose` tells.

    Args:
        x1, x2: Tensors whose shapes broadcast.
        rtol: Allowed difference relative to `x2`.
        atol: Allowed difference besides.
        equal_nan: Whether NaN is close to NaN.

    Returns:
        A boolean tensor without axes.
    """
    return REGISTRY["all"](isclose(x1, x2, rtol, atol, equal_nan))


# exp(-x) i0(x) on [0, 8], highest order first.
_I0_TO_8: Final = (
    -4.4153416464793395e-18,
    3.3307945188222384e-17,
    -2.431279846547955e-16,
    1.715391285555133e-15,
    -1.1685332877993451e-14,
    7.676185498604936e-14,
    -4.856446783111929e-13,
    2.95505266312964e-12,
    -1.726826291441556e-11,
    9.675809035373237e-11,
    -5.189795601635263e-10,
    2.6598237246823866e-09,
    -1.300025009986248e-08,
    6.046995022541919e-08,
    -2.670793853940612e-07,
    1.1173875391201037e-06,
    -4.4167383584587505e-06,
    1.6448448070728896e-05,
    -5.754195010082104e-05,
    0.00018850288509584165,
    -0.0005763755745385824,
    0.0016394756169413357,
    -0.004324309995050576,
    0.010546460394594998,
    -0.02373741480589947,
    0.04930528423967071,
    -0.09490109704804764,
    0.17162090152220877,
    -0.3046826723431984,
    0.6767952744094761,
)
# exp(-x) sqrt(x) i0(x) on [8, inf] in 1/x.
_I0_FROM_8: Final = (
    -7.233180487874754e-18,
    -4.830504485944182e-18,
    4.46562142029676e-17,
    3.461222867697461e-17,
    -2.8276239805165836e-16,
    -3.425485619677219e-16,
    1.7725601330565263e-15,
    3.8116806693526224e-15,
    -9.554846698828307e-15,
    -4.150569347287222e-14,
    1.54008621752141e-14,
    3.8527783827421426e-13,
    7.180124451383666e-13,
    -1.7941785315068062e-12,
    -1.3215811840447713e-11,
    -3.1499165279632416e-11,
    1.1889147107846439e-11,
    4.94060238822497e-10,
    3.3962320257083865e-09,
    2.266668990498178e-08,
    2.0489185894690638e-07,
    2.8913705208347567e-06,
    6.889758346916825e-05,
    0.0033691164782556943,
    0.8044904110141088,
)
