"""Exponentials, logarithms, powers and roots."""

from __future__ import annotations

import math
from collections.abc import Callable

from polykeras.backend import Tensor
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._rules import binary, check_dtype, counted, promoted, unary
from polykeras.ops._shapes import broadcast_shapes
from polykeras.ops.arithmetic import (
    add,
    divide,
    multiply,
    negative,
    square,
    subtract,
)
from polykeras.ops.comparison import equal, isinf, less, maximum, minimum, where
from polykeras.ops.conversion import cast, convert_to_tensor, dtype
from polykeras.ops.logical import logical_and, logical_or
from polykeras.ops.rounding import abs, floor_divide, sign

__all__ = [
    "cbrt",
    "exp",
    "exp2",
    "expm1",
    "hypot",
    "ldexp",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "power",
    "rsqrt",
    "sqrt",
]


@primitive(inexact="x")
def exp(x: Tensor) -> Tensor:
    """Return e to the power of each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """


@exp.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return multiply(g, out)


@primitive(inexact="x")
def expm1(x: Tensor) -> Tensor:
    """Return ``exp(x) - 1``, accurate near 0.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """


@expm1.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return multiply(g, add(out, 1))


@op(inexact="x")
def exp2(x: Tensor) -> Tensor:
    """Return 2 to the power of each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """
    return exp(multiply(x, math.log(2)))


@exp2.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return multiply(g, multiply(out, math.log(2)))


@primitive(inexact="x")
def log(x: Tensor) -> Tensor:
    """Return the natural logarithm of each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`: -inf at 0, NaN for negative
        real numbers.
    """


@log.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return divide(g, x)


@primitive(inexact="x")
def log1p(x: Tensor) -> Tensor:
    """Return ``log(1 + x)``, accurate near 0.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """


@log1p.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return divide(g, add(x, 1))


@op(inexact="x")
def log2(x: Tensor) -> Tensor:
    """Return the logarithm to base 2 of each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """
    return multiply(log(x), 1 / math.log(2))


@log2.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return divide(g, multiply(x, math.log(2)))


@op(inexact="x")
def log10(x: Tensor) -> Tensor:
    """Return the logarithm to base 10 of each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """
    return multiply(log(x), 1 / math.log(10))


@log10.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return divide(g, multiply(x, math.log(10)))


@op(inexact="x1 x2", elementwise=True)
def logaddexp(x1: Tensor, x2: Tensor) -> Tensor:
    """Return ``log(exp(x1) + exp(x2))`` without overflow.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A float tensor of the broadcast shape.

    >>> import polykeras as keras
    >>> round(float(keras.ops.logaddexp(1000.0, 1000.0)), 3)
    1000.693
    """
    x1, x2 = promoted(x1, x2, inexact=True)
    top = maximum(x1, x2)
    # Equal infinities have the difference NaN, but their sum is that infinity.
    endless = logical_and(equal(x1, x2), isinf(x1))
    gap = where(endless, 0, subtract(x1, x2))
    return add(top, log1p(exp(negative(abs(gap)))))


def _share(
    g: Tensor, own: Tensor, other: Tensor, power_of: Callable[[Tensor], Tensor]
) -> Tensor:
    # Equal infinities have no difference; equal numbers have one with a derivative.
    endless = logical_and(equal(own, other), isinf(own))
    gap = where(endless, 0, subtract(other, own))
    # One over the power of the gap and 1, without overflow, which its own derivative
    # would not survive.
    above = power_of(negative(maximum(gap, 0)))
    return multiply(g, divide(above, add(power_of(negative(abs(gap))), 1)))


@logaddexp.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return _share(g, x1, x2, exp)


@logaddexp.vjp("x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return _share(g, x2, x1, exp)


@op(inexact="x1 x2", elementwise=True)
def logaddexp2(x1: Tensor, x2: Tensor) -> Tensor:
    """Return ``log2(2**x1 + 2**x2)`` without overflow.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A float tensor of the broadcast shape.
    """
    x1, x2 = promoted(x1, x2, inexact=True)
    gap = where(equal(x1, x2), 0, subtract(x1, x2))
    return add(maximum(x1, x2), log2(add(exp2(negative(abs(gap))), 1)))


@logaddexp2.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return _share(g, x1, x2, exp2)


@logaddexp2.vjp("x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return _share(g, x2, x1, exp2)


# -- powers and roots ----------------------------------------------------------------


@primitive(common="x1 x2", elementwise=True)
def power(x1: Tensor, x2: Tensor) -> Tensor:
    """Return `x1` to the power of `x2`.

    An integer to a negative power is the exact result without its fraction: 1 for
    base 1, 1 or -1 for base -1, and 0 for every other base, 0 included.

    Args:
        x1, x2: Tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype (int32 of booleans).

    >>> import polykeras as keras
    >>> keras.ops.power([2.0, 3.0], 2).tolist()
    [4.0, 9.0]
    """


@power.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    # x**-1 at 0 is infinite, and 0 * inf would be NaN where the exponent is 0.
    lower = where(equal(x2, 0), 1, subtract(x2, 1))
    return multiply(g, multiply(x2, power(x1, lower)))


@power.vjp("x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return multiply(g, multiply(out, log(where(equal(x1, 0), 1, x1))))


power.abstract(binary("power", result=counted))


@primitive(inexact="x")
def sqrt(x: Tensor) -> Tensor:
    """Return the square root of each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`; NaN for negative real numbers.
    """


@sqrt.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return divide(multiply(g, 0.5), out)


@op(inexact="x")
def rsqrt(x: Tensor) -> Tensor:
    """Return one over the square root of each value.

    Args:
        x: A tensor of any shape; integers become floats.

    Returns:
        A float or complex tensor of the shape of `x`.
    """
    return divide(1, sqrt(x))


@rsqrt.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    # Not g times out / x, the cube of `out`, which underflows from x = 1e26 on.
    return divide(multiply(multiply(g, -0.5), out), x)


@op(inexact="x")
def cbrt(x: Tensor) -> Tensor:
    """Return the cube root of each value, negative for negative values.

    Args:
        x: A real tensor of any shape; integers become floats.

    Returns:
        A float tensor of the shape of `x`.

    >>> import polykeras as keras
    >>> float(keras.ops.cbrt(-8.0))
    -2.0
    """
    (x,) = promoted(x, inexact=True)
    root = multiply(sign(x), power(abs(x), 1 / 3))
    # 1/3 is rounded, so a step of Newton's method is needed for the last digits.
    regular = less(0, square(root))
    regular = where(less(square(root), float("inf")), regular, False)
    safe = where(regular, root, 1)
    step = divide(subtract(safe, divide(x, square(safe))), 3)
    return where(regular, subtract(root, step), root)


@cbrt.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return divide(g, multiply(square(out), 3))


@op(inexact="x1 x2", elementwise=True)
def hypot(x1: Tensor, x2: Tensor) -> Tensor:
    """Return ``sqrt(x1**2 + x2**2)`` without overflow.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A float tensor of the broadcast shape; its gradient at the origin is 0.

    >>> import polykeras as keras
    >>> float(keras.ops.hypot(3.0, 4.0))
    5.0
    """
    x1, x2 = promoted(x1, x2, inexact=True)
    broadcast_shapes("hypot", tuple(x1.shape), tuple(x2.shape))
    x1, x2 = abs(x1), abs(x2)
    # An infinite side makes the result infinite, whatever the other is.
    infinite = logical_or(isinf(x1), isinf(x2))
    x1, x2 = where(infinite, float("inf"), x1), where(infinite, float("inf"), x2)
    large, small = maximum(x1, x2), minimum(x1, x2)
    # Zero and infinity need no scale, and would give 0/0 and inf/inf.
    plain = logical_or(equal(large, 0), equal(large, float("inf")))
    ratio = where(plain, 0, divide(small, where(plain, 1, large)))
    return multiply(large, sqrt(add(square(ratio), 1)))


@hypot.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return multiply(g, divide(x1, where(equal(out, 0), 1, out)))


@hypot.vjp("x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return multiply(g, divide(x2, where(equal(out, 0), 1, out)))


@op(inexact="x1", tensor="x2", elementwise=True)
def ldexp(x1: Tensor, x2: Tensor) -> Tensor:
    """Return ``x1 * 2**x2``.

    Args:
        x1: A real tensor; integers become floats.
        x2: An integer tensor; shapes broadcast.

    Returns:
        A float tensor of the broadcast shape.

    Raises:
        DTypeError: If `x2` is no integer.

    >>> import polykeras as keras
    >>> float(keras.ops.ldexp(0.75, 3))
    6.0
    """
    (x1,) = promoted(x1, inexact=True)
    x2 = convert_to_tensor(x2)
    check_dtype("ldexp", dtype(x2), "bool float complex")
    half = floor_divide(x2, 2)
    name = dtype(x1)
    # In two steps, because 2**x2 alone may overflow where the product does not.
    first = multiply(x1, power(2.0, cast(half, name)))
    return multiply(first, power(2.0, cast(subtract(x2, half), name)))


@ldexp.prepare
def _(x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    check_dtype("ldexp", dtype(x2), "bool float complex")
    return x1, x2


@ldexp.abstract
def _(x1: Spec, x2: Spec) -> Spec:
    return Spec(broadcast_shapes("ldexp", x1.shape, x2.shape), x1.dtype)


@ldexp.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return ldexp(g, x2)


for _function in (exp, expm1, exp2, log, log1p, log2, log10, sqrt, rsqrt):
    _function.abstract(unary(_function.__name__))
cbrt.abstract(unary("cbrt", refused="complex"))
for _pair in (logaddexp, logaddexp2, hypot):
    _pair.abstract(binary(_pair.__name__, refused="complex"))
