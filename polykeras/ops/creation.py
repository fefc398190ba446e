"""Making tensors, looking at them, and changing their dtype."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from ml_dtypes import finfo

from polykeras import config, dtypes, tree
from polykeras.backend import Array, Tensor, active
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._operands import Operand, Traced
from polykeras.ops._registry import REGISTRY
from polykeras.ops._shapes import as_shape, broadcast_shapes

__all__ = [
    "arange",
    "array",
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "copy",
    "dtype",
    "empty",
    "empty_like",
    "full",
    "full_like",
    "is_tensor",
    "ones",
    "ones_like",
    "saturate_cast",
    "shape",
    "stop_gradient",
    "view",
    "zeros",
    "zeros_like",
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
        return zeros_like(x)
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
    where, clip = REGISTRY["where"], REGISTRY["clip"]
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
