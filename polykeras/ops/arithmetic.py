"""Sums, products and quotients of values."""

from __future__ import annotations

from polykeras.backend import Tensor
from polykeras.ops._declare import op, primitive
from polykeras.ops._rules import binary, counted, unary
from polykeras.ops.conversion import cast, convert_to_tensor, dtype

__all__ = [
    "add",
    "divide",
    "multiply",
    "negative",
    "reciprocal",
    "square",
    "subtract",
    "true_divide",
]


@primitive(common="x1 x2", elementwise=True)
def add(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the sum of two tensors, broadcast together; of booleans, logical or.

    Args:
        x1, x2: Tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype.

    >>> import polykeras as keras
    >>> keras.ops.add([1, 2], 0.5).tolist()
    [1.5, 2.5]
    """


add.abstract(binary("add"))


@add.vjp("x1", "x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return g


@primitive(common="x1 x2", elementwise=True)
def subtract(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the difference of two tensors, broadcast together.

    Args:
        x1, x2: Numeric tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype.

    Raises:
        DTypeError: If both are boolean.
    """


subtract.abstract(binary("subtract", refused="bool"))


@subtract.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return g


@subtract.vjp("x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return negative(g)


@primitive(common="x1 x2", elementwise=True)
def multiply(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the product of two tensors, broadcast together; of booleans, logical and.

    Args:
        x1, x2: Tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype.
    """


multiply.abstract(binary("multiply"))


@multiply.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return multiply(g, x2)


@multiply.vjp("x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return multiply(g, x1)


@primitive(inexact="x1 x2", elementwise=True)
def divide(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the quotient of two tensors, broadcast together; integers become floats.

    Args:
        x1, x2: Tensors whose shapes broadcast.

    Returns:
        A float or complex tensor of the broadcast shape; where `x2` is 0, infinite
        or NaN as IEEE 754 says.

    >>> import polykeras as keras
    >>> keras.ops.divide([1, 2], 4).tolist()
    [0.25, 0.5]
    """


divide.abstract(binary("divide"))


@divide.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return divide(g, x2)


@divide.vjp("x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return negative(divide(multiply(g, out), x2))


true_divide = divide


@primitive(common="x")
def negative(x: Tensor) -> Tensor:
    """Return the values with the opposite sign; unsigned integers wrap.

    Args:
        x: A numeric tensor of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        DTypeError: If `x` is boolean.
    """


negative.abstract(unary("negative", refused="bool"))


@negative.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return negative(g)


@op(common="x")
def square(x: Tensor) -> Tensor:
    """Return each value times itself.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape and dtype of `x` (int32 of booleans).
    """
    x = convert_to_tensor(x)
    x = cast(x, counted(dtype(x)))
    return multiply(x, x)


square.abstract(unary("square", result=counted))


@square.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return multiply(g, add(x, x))


@op(inexact="x")
def reciprocal(x: Tensor) -> Tensor:
    """Return one over each value; integers become floats.

    Args:
        x: A tensor of any shape.

    Returns:
        A float or complex tensor of the shape of `x`.
    """
    return divide(1, x)


reciprocal.abstract(unary("reciprocal"))


@reciprocal.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return negative(multiply(g, square(out)))
