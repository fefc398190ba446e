"""Making tensors, and changing their dtype."""

from __future__ import annotations

from typing import Any

from polykeras import config, dtypes
from polykeras.backend import Tensor, active
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._operands import Traced

__all__ = ["cast", "full", "zeros_like"]


@primitive(tensor="x")
def cast(x: Tensor, dtype: str) -> Tensor:
    """Return the tensor with another dtype.

    Args:
        x: A tensor of any shape.
        dtype: The dtype wanted, by canonical name.

    Returns:
        A tensor of the shape of `x`.

    >>> import polykeras as keras
    >>> keras.ops.dtype(keras.ops.cast([1.7], "int32"))
    'int32'
    """


@cast.prepare
def _(x: Tensor, dtype: Any) -> tuple[Any, ...]:
    return x, dtypes.standardize_dtype(dtype)


@cast.abstract
def _(x: Spec, dtype: str) -> Spec:
    return Spec(x.shape, dtype)


@cast.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, dtype: str) -> Tensor:
    return cast(g, x.dtype if isinstance(x, Traced) else active().dtype_name(x))


@primitive(differentiable=False)
def full(shape: Any, fill_value: Any, dtype: str | None = None) -> Tensor:
    """Return a tensor filled with one value.

    Args:
        shape: Sizes of the axes.
        fill_value: The value.
        dtype: The dtype wanted; None means floatx.

    Returns:
        A tensor of shape `shape`.
    """


@full.prepare
def _(shape: Any, fill_value: Any, dtype: Any = None) -> tuple[Any, ...]:
    shape = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
    return shape, fill_value, dtypes.standardize_dtype(dtype or config.floatx())


@full.abstract
def _(shape: tuple[int, ...], fill_value: Any, dtype: str) -> Spec:
    return Spec(shape, dtype)


@op(tensor="x")
def zeros_like(x: Tensor, dtype: str | None = None) -> Tensor:
    """Return zeros of the shape and dtype of `x`."""
    name = x.dtype if isinstance(x, Traced | Spec) else active().dtype_name(x)
    return full(x.shape, 0, dtype or name)
