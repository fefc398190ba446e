"""Functions of one value at a time."""

from __future__ import annotations

from polykeras.backend import Tensor
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._shapes import broadcast_shapes

__all__ = ["add", "exp", "multiply", "square"]


@primitive(inexact="x")
def exp(x: Tensor) -> Tensor:
    """Return e to the power of each value."""


@exp.abstract
def _(x: Spec) -> Spec:
    return x


@exp.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return multiply(g, out)


@primitive(common="x1 x2", elementwise=True)
def add(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the sum of two tensors, broadcast together."""


@add.abstract
def _(x1: Spec, x2: Spec) -> Spec:
    return Spec(broadcast_shapes("add", x1.shape, x2.shape), x1.dtype)


@add.vjp("x1", "x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return g


@primitive(common="x1 x2", elementwise=True)
def multiply(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the product of two tensors, broadcast together."""


@multiply.abstract
def _(x1: Spec, x2: Spec) -> Spec:
    return Spec(broadcast_shapes("multiply", x1.shape, x2.shape), x1.dtype)


@multiply.vjp("x1")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return multiply(g, x2)


@multiply.vjp("x2")
def _(g: Tensor, out: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    return multiply(g, x1)


@op(common="x")
def square(x: Tensor) -> Tensor:
    """Return the square of each value."""
    return multiply(x, x)
