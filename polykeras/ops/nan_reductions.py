"""Reductions and scans that leave out NaN.

NaN is replaced by the neutral element of the operation, in the value and in the
derivative. Where everything is NaN, sums are 0, products 1, the rest NaN.
"""

from __future__ import annotations

import math
from typing import Any

from polykeras import dtypes, ops
from polykeras.backend import Tensor
from polykeras.ops._declare import op
from polykeras.ops._reducing import as_inexact, widened
from polykeras.ops._values import as_tensor, dtype_of

__all__ = [
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


def _without_nan(x: Any, value: float) -> tuple[Tensor, Tensor | None]:
    """Return `x` with NaN replaced, and where NaN was; None for integers."""
    x = as_tensor(x)
    if not dtypes.is_inexact(dtype_of(x)):
        return x, None
    missing = ops.isnan(x)
    return ops.where(missing, ops.full_like(x, value), x), missing


@op(tensor="x")
def nansum(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the sum over axes of the values that are not NaN.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor of the remaining shape.

    >>> import polykeras as keras
    >>> nan = float("nan")
    >>> float(keras.ops.nansum([1.0, nan, 2.0]))
    3.0
    """
    return ops.sum(_without_nan(x, 0)[0], axis=axis, keepdims=keepdims)


@op(tensor="x")
def nanprod(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the product over axes of the values that are not NaN.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor of the remaining shape.

    >>> import polykeras as keras
    >>> nan = float("nan")
    >>> float(keras.ops.nanprod([2.0, nan, 3.0]))
    6.0
    """
    return ops.prod(_without_nan(x, 1)[0], axis=axis, keepdims=keepdims)


@op(tensor="x")
def nanmax(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the largest value along axes that is not NaN.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor of the remaining shape; NaN where every value is NaN.

    Raises:
        ShapeError: If there is no value to compare.

    >>> import polykeras as keras
    >>> nan = float("nan")
    >>> float(keras.ops.nanmax([1.0, nan, 2.0]))
    2.0
    """
    filled, missing = _without_nan(x, -math.inf)
    result = ops.max(filled, axis=axis, keepdims=keepdims)
    return _nan_if_none(result, missing, axis, keepdims)


@op(tensor="x")
def nanmin(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the smallest value along axes that is not NaN.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor of the remaining shape; NaN where every value is NaN.

    Raises:
        ShapeError: If there is no value to compare.

    >>> import polykeras as keras
    >>> nan = float("nan")
    >>> float(keras.ops.nanmin([1.0, nan, 2.0]))
    1.0
    """
    filled, missing = _without_nan(x, math.inf)
    result = ops.min(filled, axis=axis, keepdims=keepdims)
    return _nan_if_none(result, missing, axis, keepdims)


def _nan_if_none(
    result: Tensor, missing: Tensor | None, axis: Any, keepdims: bool
) -> Tensor:
    if missing is None:
        return result
    none = ops.all(missing, axis=axis, keepdims=keepdims)
    return ops.where(none, ops.full_like(result, math.nan), result)


@op(tensor="x")
def nanmean(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the mean over axes of the values that are not NaN.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A floating tensor of the remaining shape; NaN where every value is NaN.

    >>> import polykeras as keras
    >>> nan = float("nan")
    >>> float(keras.ops.nanmean([1.0, nan, 2.0]))
    1.5
    """
    x = as_inexact(x)
    filled, missing = _without_nan(widened(x), 0)
    total = ops.sum(filled, axis=axis, keepdims=keepdims)
    return ops.cast(_share(total, missing, axis, keepdims), dtype_of(x))


@op(tensor="x")
def nanvar(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the variance over axes of the values that are not NaN.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A real floating tensor of the remaining shape; NaN where every value is NaN.

    >>> import polykeras as keras
    >>> nan = float("nan")
    >>> float(keras.ops.nanvar([1.0, nan, 3.0]))
    1.0
    """
    x = as_inexact(x)
    filled, missing = _without_nan(widened(x), 0)
    center = _share(ops.sum(filled, axis=axis, keepdims=True), missing, axis, True)
    away = ops.subtract(filled, center)
    away = ops.where(missing, ops.zeros_like(away), away)
    size = ops.abs(away) if dtypes.is_complex(dtype_of(away)) else away
    total = ops.sum(ops.square(size), axis=axis, keepdims=keepdims)
    return _rounded(_share(total, missing, axis, keepdims), x)


def _share(total: Tensor, missing: Tensor | None, axis: Any, keepdims: bool) -> Tensor:
    """Return a sum divided by the number of values in it."""
    valid = ops.sum(ops.logical_not(missing), axis=axis, keepdims=keepdims)
    return ops.divide(total, ops.cast(valid, dtype_of(total)))


def _rounded(result: Tensor, x: Tensor) -> Tensor:
    """Return a real result in the dtype of small floats, else as it is."""
    name = dtype_of(x)
    return result if dtypes.is_complex(name) else ops.cast(result, name)


@op(tensor="x")
def nanstd(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the standard deviation over axes of the values that are not NaN.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A real floating tensor of the remaining shape; NaN where every value is NaN.

    >>> import polykeras as keras
    >>> nan = float("nan")
    >>> float(keras.ops.nanstd([1.0, nan, 5.0]))
    2.0
    """
    x = as_inexact(x)
    variance = nanvar(widened(x), axis=axis, keepdims=keepdims)
    zero = ops.equal(variance, 0)
    # The root of zero has no derivative: keep it out of the graph.
    root = ops.sqrt(ops.where(zero, ops.ones_like(variance), variance))
    return _rounded(ops.where(zero, ops.zeros_like(variance), root), x)


@op(tensor="x")
def nancumsum(x: Tensor, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """Return the sum of each value and all before it, leaving out NaN.

    Args:
        x: A tensor of any shape.
        axis: The axis to follow; None follows the flattened tensor.
        dtype: The dtype of the result; None keeps that of `x`, and gives 32 bits
            to bool and small integers.

    Returns:
        A tensor of the shape of `x`, flat where `axis` is None.
    """
    return ops.cumsum(_without_nan(x, 0)[0], axis=axis, dtype=dtype)


@op(tensor="x")
def nancumprod(x: Tensor, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """Return the product of each value and all before it, leaving out NaN.

    Args:
        x: A tensor of any shape.
        axis: The axis to follow; None follows the flattened tensor.
        dtype: The dtype of the result; None keeps that of `x`, and gives 32 bits
            to bool and small integers.

    Returns:
        A tensor of the shape of `x`, flat where `axis` is None.
    """
    return ops.cumprod(_without_nan(x, 1)[0], axis=axis, dtype=dtype)


@op(tensor="x", differentiable=False)
def nanargmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index of the largest value that is not NaN, the first among equals.

    Args:
        x: A tensor of any shape.
        axis: One axis; None searches the flattened tensor.
        keepdims: Whether the reduced axis stays, with size 1.

    Returns:
        An int32 tensor of the remaining shape; -1 where every value is NaN.

    Raises:
        ShapeError: If there is no value to compare.

    >>> import polykeras as keras
    >>> int(keras.ops.nanargmax([float("nan"), 2.0, 5.0]))
    2
    """
    filled, missing = _without_nan(x, -math.inf)
    if missing is None:
        return ops.argmax(filled, axis=axis, keepdims=keepdims)
    # A true -inf ties with the -inf that stands for NaN, so validity decides too.
    best = ops.equal(filled, ops.max(filled, axis=axis, keepdims=True))
    best = ops.logical_and(best, ops.logical_not(missing))
    index = ops.argmax(best, axis=axis, keepdims=keepdims)
    none = ops.all(missing, axis=axis, keepdims=keepdims)
    return ops.where(none, ops.full_like(index, -1), index)


@op(tensor="x", differentiable=False)
def nanargmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index of the smallest value that is not NaN, the first among equals.

    Args:
        x: A tensor of any shape.
        axis: One axis; None searches the flattened tensor.
        keepdims: Whether the reduced axis stays, with size 1.

    Returns:
        An int32 tensor of the remaining shape; -1 where every value is NaN.

    Raises:
        ShapeError: If there is no value to compare.

    >>> import polykeras as keras
    >>> int(keras.ops.nanargmin([float("nan"), 2.0, 5.0]))
    1
    """
    filled, missing = _without_nan(x, math.inf)
    if missing is None:
        return ops.argmin(filled, axis=axis, keepdims=keepdims)
    # A true inf ties with the inf that stands for NaN, so validity decides too.
    best = ops.equal(filled, ops.min(filled, axis=axis, keepdims=True))
    best = ops.logical_and(best, ops.logical_not(missing))
    index = ops.argmax(best, axis=axis, keepdims=keepdims)
    none = ops.all(missing, axis=axis, keepdims=keepdims)
    return ops.where(none, ops.full_like(index, -1), index)
