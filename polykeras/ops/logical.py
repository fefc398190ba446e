"""Truth values, and the bits of integers."""

from __future__ import annotations

from typing import Any

from polykeras.backend import Tensor
from polykeras.ops._declare import op, primitive
from polykeras.ops._rules import binary, boolean, check_dtype, unary
from polykeras.ops.conversion import cast, dtype

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "left_shift",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "right_shift",
]


@primitive(boolean="x", differentiable=False)
def logical_not(x: Tensor) -> Tensor:
    """Return whether each value is zero or False.

    Args:
        x: A tensor of any shape; numbers count as True unless zero.

    Returns:
        A boolean tensor of the shape of `x`.
    """


logical_not.abstract(unary("logical_not", result=boolean))


@primitive(boolean="x1 x2", differentiable=False)
def logical_and(x1: Tensor, x2: Tensor) -> Tensor:
    """Return whether both values are true.

    Args:
        x1, x2: Tensors whose shapes broadcast; numbers count as True unless zero.

    Returns:
        A boolean tensor of the broadcast shape.
    """


logical_and.abstract(binary("logical_and", result=boolean))


@primitive(boolean="x1 x2", differentiable=False)
def logical_or(x1: Tensor, x2: Tensor) -> Tensor:
    """Return whether at least one of the values is true.

    Args:
        x1, x2: Tensors whose shapes broadcast; numbers count as True unless zero.

    Returns:
        A boolean tensor of the broadcast shape.
    """


logical_or.abstract(binary("logical_or", result=boolean))


@op(boolean="x1 x2", differentiable=False)
def logical_xor(x1: Tensor, x2: Tensor) -> Tensor:
    """Return whether exactly one of the values is true.

    Args:
        x1, x2: Tensors whose shapes broadcast; numbers count as True unless zero.

    Returns:
        A boolean tensor of the broadcast shape.

    >>> import polykeras as keras
    >>> keras.ops.logical_xor([True, True], [True, False]).tolist()
    [False, True]
    """
    return bitwise_xor(cast(x1, "bool"), cast(x2, "bool"))


logical_xor.abstract(binary("logical_xor", result=boolean))


@primitive(tensor="x", differentiable=False)
def bitwise_not(x: Tensor) -> Tensor:
    """Return the integers with every bit flipped; of booleans, logical not.

    Args:
        x: An integer or boolean tensor of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        DTypeError: If `x` is a float or complex.
    """


bitwise_not.abstract(unary("bitwise_not", refused="float complex"))


@bitwise_not.prepare
def _(x: Tensor) -> tuple[Any, ...]:
    check_dtype("bitwise_not", dtype(x), "float complex")
    return (x,)


@primitive(common="x y", differentiable=False)
def bitwise_and(x: Tensor, y: Tensor) -> Tensor:
    """Return the bits that are set in both integers.

    Args:
        x, y: Integer or boolean tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype.

    Raises:
        DTypeError: If one is a float or complex.

    >>> import polykeras as keras
    >>> int(keras.ops.bitwise_and(6, 3))
    2
    """


@primitive(common="x y", differentiable=False)
def bitwise_or(x: Tensor, y: Tensor) -> Tensor:
    """Return the bits that are set in at least one of the integers.

    Args:
        x, y: Integer or boolean tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype.

    Raises:
        DTypeError: If one is a float or complex.
    """


@primitive(common="x y", differentiable=False)
def bitwise_xor(x: Tensor, y: Tensor) -> Tensor:
    """Return the bits that are set in exactly one of the integers.

    Args:
        x, y: Integer or boolean tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype.

    Raises:
        DTypeError: If one is a float or complex.
    """


@primitive(common="x y", differentiable=False)
def left_shift(x: Tensor, y: Tensor) -> Tensor:
    """Return the integers `x` with their bits moved up by `y` places.

    Args:
        x, y: Integer tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype; 0 where `y` is negative
        or not below the width of the dtype.

    Raises:
        DTypeError: If the promoted dtype is no integer.
    """


@primitive(common="x y", differentiable=False)
def right_shift(x: Tensor, y: Tensor) -> Tensor:
    """Return the integers `x` with their bits moved down by `y` places, sign kept.

    Args:
        x, y: Integer tensors whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and promoted dtype; where `y` is negative or
        not below the width of the dtype, -1 for negative `x` and 0 for others.

    Raises:
        DTypeError: If the promoted dtype is no integer.
    """


bitwise_and.abstract(binary("bitwise_and", refused="float complex"))
bitwise_or.abstract(binary("bitwise_or", refused="float complex"))
bitwise_xor.abstract(binary("bitwise_xor", refused="float complex"))
left_shift.abstract(binary("left_shift", refused="bool float complex"))
right_shift.abstract(binary("right_shift", refused="bool float complex"))

bitwise_invert = bitwise_not
bitwise_left_shift = left_shift
bitwise_right_shift = right_shift
