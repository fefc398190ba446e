"""Making tensors out of a shape and a value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from polykeras import config, dtypes
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._shapes import as_shape, broadcast_shapes
from polykeras.ops.conversion import cast, convert_to_tensor
from polykeras.ops.conversion import dtype as _dtype_of

__all__ = [
    "arange",
    "empty",
    "empty_like",
    "full",
    "full_like",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]

_dtype = dtypes.standardize_dtype


# -- constant tensors --------------------------------------------------------------


@primitive(tree="fill_value", elementwise=True)
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """Return a tensor filled with one value.

    Args:
        shape: Sizes of the axes, an int or a sequence of ints.
        fill_value: A number, or a tensor that broadcasts to `shape`.
        dtype: The dtype wanted; None means floatx.

    Returns:
        A tensor of shape `shape`.

    >>> import polykeras as keras
    >>> keras.ops.full((2, 2), 7, "int32").tolist()
    [[7, 7], [7, 7]]
    """


@full.prepare
def _(shape: Any, fill_value: Any, dtype: Any = None) -> tuple[Any, ...]:
    name = _dtype(dtype or config.floatx())
    if isinstance(fill_value, np.generic):
        fill_value = fill_value.item()
    elif dtypes.weak_dtype(fill_value) is None:
        fill_value = cast(fill_value, name)
    return _filled_shape(shape, fill_value), fill_value, name


@full.abstract
def _(shape: Any, fill_value: Any, dtype: str) -> Spec:
    return Spec(_filled_shape(shape, fill_value), dtype)


@full.vjp("fill_value")
def _(g: Tensor, out: Tensor, shape: Any, fill_value: Tensor, dtype: str) -> Tensor:
    return g


def _filled_shape(wanted: Any, fill_value: Any) -> tuple[int, ...]:
    sizes = as_shape(wanted)
    if any(n < 0 for n in sizes):
        raise ShapeError(
            f"polykeras.ops.full got the shape {sizes}. Sizes must not be negative."
        )
    given = tuple(getattr(fill_value, "shape", ()))
    if broadcast_shapes("full", sizes, given) != sizes:
        raise ShapeError(
            f"polykeras.ops.full cannot broadcast a fill_value of shape {given} to "
            f"the shape {sizes}."
        )
    return sizes


@op
def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """Return a tensor of zeros.

    Args:
        shape: Sizes of the axes, an int or a sequence of ints.
        dtype: The dtype wanted; None means floatx.

    Returns:
        A tensor of shape `shape`.

    >>> import polykeras as keras
    >>> keras.ops.zeros((2,)).tolist()
    [0.0, 0.0]
    """
    return full(shape, 0, dtype)


@op
def ones(shape: Any, dtype: Any = None) -> Tensor:
    """Return a tensor of ones.

    Args:
        shape: Sizes of the axes, an int or a sequence of ints.
        dtype: The dtype wanted; None means floatx.

    Returns:
        A tensor of shape `shape`.
    """
    return full(shape, 1, dtype)


@op
def empty(shape: Any, dtype: Any = None) -> Tensor:
    """Return a tensor whose values do not matter; they are zeros.

    Args:
        shape: Sizes of the axes, an int or a sequence of ints.
        dtype: The dtype wanted; None means floatx.

    Returns:
        A tensor of shape `shape`.
    """
    return full(shape, 0, dtype)


@op(tensor="x", differentiable=False)
def zeros_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Return zeros of the shape of `x`, and of its dtype unless one is given.

    Args:
        x: A tensor of any shape.
        dtype: The dtype wanted; None means that of `x`.

    Returns:
        A tensor of the shape of `x`.
    """
    x = convert_to_tensor(x)
    return full(x.shape, 0, dtype or _dtype_of(x))


@op(tensor="x", differentiable=False)
def ones_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Return ones of the shape of `x`, and of its dtype unless one is given.

    Args:
        x: A tensor of any shape.
        dtype: The dtype wanted; None means that of `x`.

    Returns:
        A tensor of the shape of `x`.
    """
    x = convert_to_tensor(x)
    return full(x.shape, 1, dtype or _dtype_of(x))


@op(tensor="x", differentiable=False)
def empty_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Return a tensor of the shape of `x` whose values do not matter: zeros.

    Args:
        x: A tensor of any shape.
        dtype: The dtype wanted; None means that of `x`.

    Returns:
        A tensor of the shape of `x`.
    """
    return zeros_like(x, dtype)


@zeros_like.prepare
@ones_like.prepare
def _(x: Tensor, dtype: Any = None) -> tuple[Any, ...]:
    return x, _dtype_of(x) if dtype is None else _dtype(dtype)


@op(tensor="x", tree="fill_value")
def full_like(x: Tensor, fill_value: Any, dtype: Any = None) -> Tensor:
    """Return one value in the shape of `x`, and its dtype unless one is given.

    Args:
        x: A tensor of any shape.
        fill_value: A number, or a tensor that broadcasts to the shape of `x`.
        dtype: The dtype wanted; None means that of `x`.

    Returns:
        A tensor of the shape of `x`.

    >>> import polykeras as keras
    >>> keras.ops.full_like(keras.ops.array([1, 2]), 5).tolist()
    [5, 5]
    """
    x = convert_to_tensor(x)
    return full(x.shape, fill_value, dtype or _dtype_of(x))


@primitive(differentiable=False)
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """Return evenly spaced values in a half-open interval.

    Args:
        start: The first value; the end if `stop` is None, and then 0 is the first.
        stop: The end, which is not reached.
        step: The difference of neighbours; 1 if None.
        dtype: The dtype wanted; None means int32 for Python ints and floatx for
            floats.

    Returns:
        A tensor ``(ceil((stop - start) / step),)``. Floats are computed as
        ``start + i * step`` in double precision and rounded once.

    Raises:
        ArgumentError: If `step` is 0.

    >>> import polykeras as keras
    >>> keras.ops.arange(1, 7, 2).tolist()
    [1, 3, 5]
    """


@arange.prepare
def _(
    start: Any, stop: Any = None, step: Any = None, dtype: Any = None
) -> tuple[Any, ...]:
    if stop is None:
        start, stop = 0, start
    given = [1 if step is None else step, start, stop]
    name = _dtype(dtype) if dtype is not None else _arange_dtype(given)
    step, start, stop = (_number(x) for x in given)
    if step == 0:
        raise ArgumentError("polykeras.ops.arange got step=0. Use another step.")
    return start, stop, step, name


@arange.abstract
def _(start: Any, stop: Any, step: Any, dtype: str) -> Spec:
    return Spec((max(0, math.ceil((stop - start) / step)),), dtype)


def _arange_dtype(given: list[Any]) -> str:
    names = [dtypes.weak_dtype(x) or _dtype_of(x) for x in given]
    return dtypes.result_type(*names, floatx=config.floatx())


def _number(x: Any) -> int | float:
    if isinstance(x, int | float):
        return x
    try:
        number: int | float = x.item() if hasattr(x, "item") else float(x)
    except TypeError as error:
        raise DTypeError(
            "polykeras.ops.arange expected numbers that are known now, because they "
            f"decide the shape of the result; got {x!r}."
        ) from error
    return number
