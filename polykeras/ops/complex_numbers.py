"""Real and imaginary parts."""

from __future__ import annotations

import math
from typing import Any

from polykeras import dtypes
from polykeras.backend import Tensor
from polykeras.errors import DTypeError, ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._registry import REGISTRY
from polykeras.ops._rules import boolean, promoted, unary
from polykeras.ops.arithmetic import multiply, negative, subtract
from polykeras.ops.comparison import equal, isnan, less, where
from polykeras.ops.conversion import cast, convert_to_tensor, dtype
from polykeras.ops.creation import zeros_like

__all__ = [
    "angle",
    "conj",
    "conjugate",
    "imag",
    "isreal",
    "polar",
    "real",
    "view_as_complex",
    "view_as_real",
]


def part_dtype(name: str) -> str:
    """Return the dtype of the real part of values of a dtype."""
    return {"complex64": "float32", "complex128": "float64"}.get(name, name)


@primitive(common="x")
def real(x: Tensor) -> Tensor:
    """Return the real part of each value.

    Args:
        x: A tensor of any shape.

    Returns:
        A real tensor of the shape of `x`.
    """


@primitive(common="x")
def imag(x: Tensor) -> Tensor:
    """Return the imaginary part of each value, 0 for real numbers.

    Args:
        x: A tensor of any shape.

    Returns:
        A real tensor of the shape of `x`.
    """


real.abstract(unary("real", result=part_dtype))
imag.abstract(unary("imag", result=part_dtype))


@real.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return cast(g, dtype(x))


@imag.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    # Cotangents pair with tangents as g * t without conjugation, so d imag = -i.
    return multiply(g, -1j) if dtypes.is_complex(dtype(x)) else multiply(g, 0)


@primitive(tensor="x")
def view_as_complex(x: Tensor) -> Tensor:
    """Return complex numbers whose parts lie on the last axis.

    Args:
        x: A float tensor ``(..., 2)``.

    Returns:
        A complex tensor ``(...)``.

    Raises:
        ShapeError: If the last axis has another size than 2.
        DTypeError: If `x` is complex.

    >>> import polykeras as keras
    >>> keras.ops.view_as_complex([1.0, 2.0]).item()
    (1+2j)
    """


@view_as_complex.prepare
def _(x: Tensor) -> tuple[Any, ...]:
    name = dtype(x)
    given = tuple(x.shape)
    if dtypes.is_complex(name):
        raise DTypeError(
            "polykeras.ops.view_as_complex expected real numbers, got dtype "
            f"{name} with shape {given}."
        )
    if not given or given[-1] != 2:
        raise ShapeError(
            "polykeras.ops.view_as_complex expected a last axis of size 2 (real and "
            f"imaginary part), got shape {given}."
        )
    return (x if name in ("float32", "float64") else cast(x, "float32"),)


@view_as_complex.abstract
def _(x: Spec) -> Spec:
    return Spec(x.shape[:-1], "complex128" if x.dtype == "float64" else "complex64")


@view_as_complex.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return REGISTRY["stack"]([real(g), negative(imag(g))], axis=-1)


@op(tensor="x")
def view_as_real(x: Tensor) -> Tensor:
    """Return the parts of complex numbers on a new last axis.

    Args:
        x: A complex tensor ``(...)``.

    Returns:
        A float tensor ``(..., 2)``.
    """
    return REGISTRY["stack"]([real(x), imag(x)], axis=-1)


@op(common="x")
def conj(x: Tensor) -> Tensor:
    """Return the complex conjugate of each value.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.
    """
    x = convert_to_tensor(x)
    if not dtypes.is_complex(dtype(x)):
        return x
    return subtract(real(x), multiply(imag(x), 1j))


conj.abstract(unary("conj"))


@conj.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return conj(g)


conjugate = conj


@op(common="x", differentiable=False)
def isreal(x: Tensor) -> Tensor:
    """Return where the imaginary part is zero.

    Args:
        x: A tensor of any shape.

    Returns:
        A boolean tensor of the shape of `x`.
    """
    return equal(imag(x), 0)


isreal.abstract(unary("isreal", result=boolean))


@op(inexact="x")
def angle(x: Tensor) -> Tensor:
    """Return the angle of each value in the complex plane, in radians.

    Args:
        x: A tensor of any shape; negative real numbers have the angle pi.

    Returns:
        A real tensor of the shape of `x`.

    >>> import polykeras as keras
    >>> round(float(keras.ops.angle(1j)), 4)
    1.5708
    """
    (x,) = promoted(x, inexact=True)
    if dtypes.is_complex(dtype(x)):
        return REGISTRY["arctan2"](imag(x), real(x))
    return where(isnan(x), x, where(less(x, 0), math.pi, zeros_like(x)))


@op(inexact="abs_ angle", elementwise=True)
def polar(abs_: Tensor, angle: Tensor) -> Tensor:
    """Return the complex numbers of given absolute values and angles.

    Args:
        abs_: Absolute values.
        angle: Angles in radians; shapes broadcast.

    Returns:
        A complex tensor of the broadcast shape.
    """
    abs_, angle = promoted(abs_, angle, inexact=True)
    parts = [multiply(abs_, REGISTRY[f](angle)) for f in ("cos", "sin")]
    return view_as_complex(REGISTRY["stack"](parts, axis=-1))
