"""Absolute values, signs, whole numbers and remainders."""

from __future__ import annotations

from typing import Any

from polykeras import dtypes
from polykeras.backend import Tensor
from polykeras.errors import DTypeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._registry import REGISTRY
from polykeras.ops._rules import binary, boolean, counted, promoted, unary
from polykeras.ops.arithmetic import add, divide, multiply, negative, subtract
from polykeras.ops.comparison import equal, isnan, less, maximum, where
from polykeras.ops.complex_numbers import conj, part_dtype
from polykeras.ops.conversion import cast, convert_to_tensor, dtype, view
from polykeras.ops.creation import zeros_like
from polykeras.ops.logical import logical_and, logical_or

__all__ = [
    "abs",
    "absolute",
    "ceil",
    "fabs",
    "floor",
    "floor_divide",
    "fmod",
    "gcd",
    "heaviside",
    "lcm",
    "mod",
    "nextafter",
    "round",
    "sign",
    "signbit",
    "trunc",
]


@primitive(common="x")
def abs(x: Tensor) -> Tensor:
    """Return the absolute value of each value, of complex numbers the modulus.

    Args:
        x: A tensor of any shape.

    Returns:
        A real tensor of the shape of `x`; its gradient at 0 is 0.
    """


abs.abstract(unary("abs", result=part_dtype))


@abs.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    if dtypes.is_complex(dtype(x)):
        return divide(multiply(g, conj(x)), where(equal(out, 0), 1, out))
    return multiply(g, sign(x))


absolute = abs


@op(inexact="x")
def fabs(x: Tensor) -> Tensor:
    """Return the absolute value of each value as a float.

    Args:
        x: A real tensor of any shape; integers become floats.

    Returns:
        A float tensor of the shape of `x`.
    """
    return abs(*promoted(x, inexact=True))


@op(common="x")
def sign(x: Tensor) -> Tensor:
    """Return -1, 0 or 1 as the values are negative, zero or positive; NaN stays NaN.

    Args:
        x: A numeric tensor of any shape; of a complex number, ``x / abs(x)``.

    Returns:
        A tensor of the shape and dtype of `x`; its gradient is 0.
    """
    x = convert_to_tensor(x)
    name = dtype(x)
    if dtypes.is_complex(name):
        size = abs(x)
        return divide(x, where(equal(size, 0), 1, size))
    if name in dtypes.UNSIGNED:
        return cast(less(0, x), name)
    steps = subtract(cast(less(0, x), name), cast(less(x, 0), name))
    return where(isnan(x), x, steps)


sign.abstract(unary("sign", refused="bool"))


@sign.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return zeros_like(x)


@op(common="x", differentiable=False)
def signbit(x: Tensor) -> Tensor:
    """Return where the sign bit is set: negative values, and -0.0.

    Args:
        x: A real tensor of any shape.

    Returns:
        A boolean tensor of the shape of `x`.
    """
    x = convert_to_tensor(x)
    negative_values = less(x, 0)
    if not dtypes.is_float(dtype(x)):
        return negative_values
    minus_zero = logical_and(equal(x, 0), less(divide(1, x), 0))
    return logical_or(negative_values, minus_zero)


signbit.abstract(unary("signbit", refused="complex", result=boolean))


# -- whole numbers -----------------------------------------------------------------


@primitive(inexact="x")
def floor(x: Tensor) -> Tensor:
    """Return the largest whole number not above each value.

    Args:
        x: A real tensor of any shape; integers become floats.

    Returns:
        A float tensor of the shape of `x`; its gradient is 0.
    """


@op(inexact="x")
def ceil(x: Tensor) -> Tensor:
    """Return the smallest whole number not below each value.

    Args:
        x: A real tensor of any shape; integers become floats.

    Returns:
        A float tensor of the shape of `x`; its gradient is 0.
    """
    return negative(floor(negative(x)))


@op(common="x")
def trunc(x: Tensor) -> Tensor:
    """Return each value without its fraction.

    Args:
        x: A real tensor of any shape; integers stay as they are.

    Returns:
        A tensor of the shape and dtype of `x`; its gradient is 0.
    """
    x = convert_to_tensor(x)
    if not dtypes.is_float(dtype(x)):
        return x
    return where(less(x, 0), ceil(x), floor(x))


@primitive(tensor="x")
def round(x: Tensor, decimals: int = 0) -> Tensor:
    """Return the nearest whole numbers, or numbers of `decimals` decimal places.

    A value half way between two goes to the even one.

    Args:
        x: A real or complex tensor of any shape.
        decimals: Decimal places; negative ones round to tens, hundreds, ...

    Returns:
        A tensor of the shape and dtype of `x`; its gradient is 0.

    >>> import polykeras as keras
    >>> keras.ops.round([0.5, 1.5, 2.6]).tolist()
    [0.0, 2.0, 3.0]
    """


@round.prepare
def _(x: Tensor, decimals: int = 0) -> tuple[Any, ...]:
    if dtype(x) == "bool":
        raise DTypeError(
            "polykeras.ops.round is not defined for the dtype bool. Use ops.cast."
        )
    return x, int(decimals)


@round.abstract
def _(x: Spec, decimals: int) -> Spec:
    return x


floor.abstract(unary("floor", refused="complex"))
ceil.abstract(unary("ceil", refused="complex"))
trunc.abstract(unary("trunc", refused="complex"))


@floor.vjp("x")
@ceil.vjp("x")
@trunc.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return zeros_like(x)


@round.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, decimals: int) -> Tensor:
    return zeros_like(x)


@op(inexact="x1 x2")
def heaviside(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the step function: 0 below zero, 1 above, and `x2` at zero.

    Args:
        x1: A real tensor.
        x2: The value at zero; shapes broadcast.

    Returns:
        A float tensor of the broadcast shape.

    >>> import polykeras as keras
    >>> keras.ops.heaviside([-1.0, 0.0, 2.0], 0.5).tolist()
    [0.0, 0.5, 1.0]
    """
    x1, x2 = promoted(x1, x2, inexact=True)
    step = where(isnan(x1), x1, cast(less(0, x1), dtype(x1)))
    return where(equal(x1, 0), x2, step)


# -- remainders --------------------------------------------------------------------


@primitive(common="x1 x2", elementwise=True)
def floor_divide(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the quotient rounded down; integers by 0 give 0.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype (int32 of booleans); its
        gradient is 0.

    >>> import polykeras as keras
    >>> keras.ops.floor_divide([7, -7], 2).tolist()
    [3, -4]
    """


@primitive(common="x1 x2", elementwise=True)
def mod(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the remainder of `floor_divide`, which has the sign of `x2`.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype (int32 of booleans); 0
        where integers are divided by 0, NaN where floats are.

    >>> import polykeras as keras
    >>> keras.ops.mod([7, -7], 3).tolist()
    [1, 2]
    """


floor_divide.abstract(binary("floor_divide", refused="complex", result=counted))
mod.abstract(binary("mod", refused="complex", result=counted))


@floor_divide.vjp("x1", "x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return multiply(g, 0)


@mod.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return g


@mod.vjp("x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return negative(multiply(g, floor_divide(x1, x2)))


@op(common="x1 x2", elementwise=True)
def fmod(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the remainder of the division rounded toward zero: the sign is `x1`'s.

    Args:
        x1, x2: Real tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype (int32 of booleans); 0
        where integers are divided by 0, NaN where floats are.

    >>> import polykeras as keras
    >>> keras.ops.fmod([7, -7], 3).tolist()
    [1, -1]
    """
    x1, x2 = promoted(x1, x2)
    size = mod(abs(x1), abs(x2))
    return size if dtype(x1) == "bool" else where(less(x1, 0), negative(size), size)


fmod.abstract(binary("fmod", refused="complex", result=counted))


@fmod.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return g


@fmod.vjp("x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return negative(multiply(g, trunc(divide(x1, x2))))


@op(common="x1 x2", differentiable=False)
def gcd(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the greatest common divisor of two integers.

    Args:
        x1, x2: Integer tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype, not negative.

    Raises:
        DTypeError: If the promoted dtype is no integer.

    >>> import polykeras as keras
    >>> keras.ops.gcd([12, 0], [18, 5]).tolist()
    [6, 5]
    """
    x1, x2 = promoted(x1, x2)
    zero = zeros_like(REGISTRY["bitwise_or"](x1, x2))

    def unfinished(a: Tensor, b: Tensor) -> Tensor:
        return REGISTRY["any"](REGISTRY["not_equal"](b, 0))

    def divide_once(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        return where(equal(b, 0), a, b), where(equal(b, 0), zero, mod(a, b))

    start = (maximum(abs(x1), zero), maximum(abs(x2), zero))
    result: Tensor = REGISTRY["while_loop"](unfinished, divide_once, start)[0]
    return result


gcd.abstract(binary("gcd", refused="bool float complex"))


@op(common="x1 x2", differentiable=False)
def lcm(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the least common multiple of two integers.

    Args:
        x1, x2: Integer tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype, not negative; 0 where
        one is 0.

    Raises:
        DTypeError: If the promoted dtype is no integer.
    """
    x1, x2 = promoted(x1, x2)
    return multiply(floor_divide(abs(x1), gcd(x1, x2)), abs(x2))


lcm.abstract(binary("lcm", refused="bool float complex"))


_BITS = {
    "float16": "int16",
    "bfloat16": "int16",
    "float32": "int32",
    "float64": "int64",
}


@op(inexact="x1 x2", differentiable=False)
def nextafter(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the next number that the dtype can hold, from `x1` toward `x2`.

    Args:
        x1, x2: Float tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape; `x2` where both are equal.
    """
    x1, x2 = promoted(x1, x2, inexact=True)
    name = dtype(x1)
    bits = view(x1, _BITS[name])
    # Floats of one sign are ordered as their bits are: one step is one integer.
    outward = equal(less(x1, x2), less(0, x1))
    stepped = view(add(bits, where(outward, 1, -1)), name)
    smallest = view(cast(1, _BITS[name]), name)
    from_zero = where(less(x2, 0), negative(smallest), smallest)
    stepped = where(equal(x1, 0), from_zero, stepped)
    stepped = where(equal(x1, x2), x2, stepped)
    return where(isnan(x1), x1, where(isnan(x2), x2, stepped))


nextafter.abstract(binary("nextafter", refused="complex"))
