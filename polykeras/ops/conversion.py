"""Looking at tensors, and turning values into tensors of a dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
from ml_dtypes import finfo

from polykeras import dtypes, tree
from polykeras.backend import Array, Tensor, active
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._operands import Operand, Traced
from polykeras.ops._registry import REGISTRY

__all__ = [
    "array",
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "copy",
    "dtype",
    "is_tensor",
    "saturate_cast",
    "shape",
    "stop_gradient",
    "view",
]

_dtype = dtypes.standardize_dtype


# -- looking at tensors ----------------------------------------------------------


def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Tensor:
    """Return `x` as a tensor of the active backend.

    Args:
        x: A tensor of this or another library, a variable, an array, a number, or
            nested lists of these.
        dtype: The dtype wanted; None keeps that of arrays and gives int32 and
            floatx to Python numbers.
        sparse: Must not be True: tensors are dense.
        ragged: Must not be True: tensors are rectangular.

    Returns:
        A tensor with the shape of `x`; a traced tensor is returned as it is.

    Raises:
        ArgumentError: If `x` is no rectangular array of numbers, or `sparse` or
            `ragged` is True.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_tensor([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    if sparse or ragged:
        raise ArgumentError(
            "polykeras.ops.convert_to_tensor expected a dense tensor, got "
            f"sparse={sparse}, ragged={ragged}. Convert to a dense array first."
        )
    engine = active()
    name = None if dtype is None else _dtype(dtype)
    if isinstance(x, Operand):
        x = x.operand()
        if isinstance(x, Traced):
            return x if name is None or x.dtype == name else cast(x, name)
    elif isinstance(x, list | tuple) and any(map(_is_value, tree.flatten(x))):
        stacked = REGISTRY["stack"]([convert_to_tensor(item) for item in x])
        return stacked if name is None else cast(stacked, name)
    return engine.convert_to_tensor(x, name)


def _is_value(x: Any) -> bool:
    return isinstance(x, Operand) or active().is_tensor(x)


def convert_to_numpy(x: Any) -> Array:
    """Return the values of a tensor as a NumPy array, without its gradient.

    Args:
        x: A tensor, a variable, or anything that can become a tensor.

    Returns:
        An array of the shape and dtype of `x`; waits until the values exist.
    """
    engine = active()
    if isinstance(x, Operand):
        x = x.operand()
        if isinstance(x, Traced):
            primal = getattr(x, "primal", None)
            x = primal() if primal is not None else np.asarray(x)
    return engine.to_numpy(x if engine.is_tensor(x) else engine.convert_to_tensor(x))


def is_tensor(x: Any) -> bool:
    """Return whether `x` is a tensor of the active backend or a traced one.

    >>> import polykeras as keras
    >>> keras.ops.is_tensor([1.0]), keras.ops.is_tensor(keras.ops.ones(2))
    (False, True)
    """
    return isinstance(x, Traced | Spec) or active().is_tensor(x)


def shape(x: Any) -> tuple[int, ...]:
    """Return the sizes of the axes of a tensor.

    Args:
        x: A tensor, or anything that can become one.

    Returns:
        One number per axis; None where a symbolic tensor's size is unknown.

    >>> import polykeras as keras
    >>> keras.ops.shape(keras.ops.zeros((2, 3)))
    (2, 3)
    """
    if not hasattr(x, "shape"):
        x = convert_to_tensor(x)
    return tuple(x.shape)


def dtype(x: Any) -> str:
    """Return the canonical dtype name of a tensor.

    Args:
        x: A tensor, or anything that can become one.

    >>> import polykeras as keras
    >>> keras.ops.dtype(keras.ops.ones((2,)))
    'float32'
    """
    if isinstance(x, Operand):
        return _dtype(x.dtype)
    engine = active()
    if not engine.is_tensor(x):
        if hasattr(x, "dtype"):
            return _dtype(x.dtype)
        x = engine.convert_to_tensor(x)
    return engine.dtype_name(x)


# -- dtype -----------------------------------------------------------------------


@primitive(tensor="x")
def cast(x: Tensor, dtype: Any) -> Tensor:
    """Return the tensor with another dtype.

    Floats become integers by truncation, complex numbers real by dropping the
    imaginary part. What lies outside the range of an integer dtype becomes an
    unspecified value; `saturate_cast` gives the nearest one.

    Args:
        x: A tensor of any shape.
        dtype: The dtype wanted.

    Returns:
        A tensor of the shape of `x`.

    >>> import polykeras as keras
    >>> keras.ops.dtype(keras.ops.cast([1.7], "int32"))
    'int32'
    """


@cast.prepare
def _(x: Tensor, dtype: Any) -> tuple[Any, ...]:
    return x, _dtype(dtype)


@cast.abstract
def _(x: Spec, dtype: str) -> Spec:
    return Spec(x.shape, dtype)


_dtype_of = dtype


@cast.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, dtype: str) -> Tensor:
    own = _dtype_of(x)
    if not (dtypes.is_inexact(dtype) and dtypes.is_inexact(own)):
        return REGISTRY["zeros_like"](x)
    return cast(g, own)


@op(tensor="x")
def saturate_cast(x: Tensor, dtype: Any) -> Tensor:
    """Return the nearest values that another dtype can hold; NaN gives integer 0.

    Args:
        x: A real tensor of any shape.
        dtype: The dtype wanted.

    Returns:
        A tensor of the shape of `x`.

    >>> import polykeras as keras
    >>> keras.ops.saturate_cast(keras.ops.array([-1.0, 300.0]), "uint8").tolist()
    [0, 255]
    """
    x = convert_to_tensor(x)
    name, own = _dtype(dtype), _dtype_of(x)
    if name in (own, "bool") or own == "bool" or not _has_range(name):
        return cast(x, name)
    low, high = _range(name)
    where, clip, full = REGISTRY["where"], REGISTRY["clip"], REGISTRY["full"]
    if dtypes.is_integer(own):
        own_low, own_high = _range(own)
        low, high = max(low, own_low), min(high, own_high)
        return cast(clip(x, full((), low, own), full((), high, own)), name)
    inside = clip(x, full((), low, own), full((), high, own))
    if not dtypes.is_integer(name):
        return cast(inside, name)
    # A float may have no number just below the limit, so the limit is selected.
    below, above = REGISTRY["less_equal"](x, low), REGISTRY["greater_equal"](x, high)
    outside = REGISTRY["logical_or"](below, above)
    outside = REGISTRY["logical_or"](outside, REGISTRY["isnan"](x))
    result = cast(where(outside, 0, inside), name)
    result = where(below, full((), int(low), name), result)
    return where(above, full((), int(high), name), result)


def _has_range(name: str) -> bool:
    return dtypes.is_integer(name) or dtypes.is_float(name)


def _range(name: str) -> tuple[Any, Any]:
    native = dtypes.as_numpy_dtype(name)
    if dtypes.is_integer(name):
        whole = np.iinfo(native)
        return int(whole.min), int(whole.max)
    limits: Any = finfo(native)  # type: ignore[no-untyped-call]
    return float(limits.min), float(limits.max)


@primitive(tensor="x", differentiable=False)
def view(x: Tensor, dtype: Any = None) -> Tensor:
    """Return the same bits read as another dtype.

    Args:
        x: A tensor ``(..., n)``.
        dtype: The dtype wanted; None returns `x`.

    Returns:
        A tensor of the shape of `x`, but for the last axis, which shrinks or grows
        with the ratio of the widths of the dtypes.

    Raises:
        ShapeError: If the bits of the last axis do not fill whole values.

    >>> import polykeras as keras
    >>> int(keras.ops.view(keras.ops.array(1.0), "int32"))
    1065353216
    """


@view.prepare
def _(x: Tensor, dtype: Any = None) -> tuple[Any, ...]:
    name = _dtype_of(x) if dtype is None else _dtype(dtype)
    _viewed_shape(tuple(x.shape), _dtype_of(x), name)
    return x, name


@view.abstract
def _(x: Spec, dtype: str) -> Spec:
    return Spec(_viewed_shape(x.shape, x.dtype, dtype), dtype)


def _viewed_shape(given: tuple[int, ...], own: str, name: str) -> tuple[int, ...]:
    width = dtypes.as_numpy_dtype(own).itemsize
    wanted = dtypes.as_numpy_dtype(name).itemsize
    if width == wanted:
        return given
    if not given or given[-1] * width % wanted:
        raise ShapeError(
            f"polykeras.ops.view cannot read {own} of shape {given} as {name}: the "
            f"last axis must hold whole values of {wanted} bytes. Reshape first."
        )
    return (*given[:-1], given[-1] * width // wanted)


@primitive(tensor="variable", differentiable=False)
def stop_gradient(variable: Tensor) -> Tensor:
    """Return the values of a tensor, through which no gradient flows.

    Args:
        variable: A tensor or variable of any shape.

    Returns:
        A tensor of the same shape and dtype.
    """


@stop_gradient.abstract
def _(variable: Spec) -> Spec:
    return variable


@op(tensor="x")
def copy(x: Tensor) -> Tensor:
    """Return a tensor with the same values in memory of its own.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.
    """
    return convert_to_tensor(x)


@copy.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    return g


@op(tensor="x")
def array(x: Any, dtype: Any = None) -> Tensor:
    """Return a new tensor with the values of `x`.

    Args:
        x: A tensor, an array, a number, or nested lists of these.
        dtype: The dtype wanted; None keeps that of `x`.

    Returns:
        A tensor of the shape of `x`.

    >>> import polykeras as keras
    >>> keras.ops.array([1.0, 2.0]).shape
    (2,)
    """
    return copy(convert_to_tensor(x, dtype))
