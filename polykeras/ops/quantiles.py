"""Order statistics: quantiles, percentiles, medians, with and without NaN.

Reference: Hyndman and Fan, 1996, "Sample Quantiles in Statistical Packages",
definition 7 (the method ``"linear"``).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from polykeras import ops
from polykeras.backend import Array, Tensor, active
from polykeras.errors import ArgumentError
from polykeras.ops._declare import op
from polykeras.ops._operands import Operand
from polykeras.ops._reducing import (
    as_inexact,
    one_of,
    reduced_last,
    reject_complex,
    reject_empty,
    widened,
)
from polykeras.ops._shapes import canonical_axes, reduced_shape
from polykeras.ops._values import as_tensor, dtype_of, known_values

__all__ = [
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@op(tensor="x")
def quantile(
    x: Tensor, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return the values below which given fractions of the data lie.

    Args:
        x: A tensor of any shape.
        q: One fraction between 0 and 1, or a tensor of them.
        axis: One axis, several, or None for all.
        method: What to do where the quantile lies between two values: interpolate
            (``"linear"``), or take the ``"lower"``, the ``"higher"``, the
            ``"midpoint"``, or the ``"nearest"`` (the lower one of two equally near).
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A floating tensor of the shape of `q` followed by the remaining shape; NaN
        where any value is NaN.

    Raises:
        ArgumentError: If `method` is unknown or a fraction outside 0 to 1.
        ShapeError: If there is no value.

    >>> import polykeras as keras
    >>> float(keras.ops.quantile([1.0, 2.0, 4.0], 0.75))
    3.0
    """
    return _quantile("quantile", x, q, axis, method, keepdims, skip=False)


@op(tensor="x")
def nanquantile(
    x: Tensor, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return quantiles of the values that are not NaN.

    Args:
        x: A tensor of any shape.
        q: One fraction between 0 and 1, or a tensor of them.
        axis: One axis, several, or None for all.
        method: As for `quantile`.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A floating tensor of the shape of `q` followed by the remaining shape; NaN
        where every value is NaN.

    Raises:
        ArgumentError: If `method` is unknown or a fraction outside 0 to 1.
        ShapeError: If there is no value.
    """
    return _quantile("nanquantile", x, q, axis, method, keepdims, skip=True)


@op(tensor="x")
def percentile(
    x: Tensor, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return the values below which given percentages of the data lie.

    Args:
        x: A tensor of any shape.
        q: One percentage between 0 and 100, or a tensor of them.
        axis: One axis, several, or None for all.
        method: As for `quantile`.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A floating tensor of the shape of `q` followed by the remaining shape.

    Raises:
        ArgumentError: If `method` is unknown or a percentage outside 0 to 100.
        ShapeError: If there is no value.
    """
    return quantile(x, _fraction(q), axis, method, keepdims)


@op(tensor="x")
def nanpercentile(
    x: Tensor, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return percentiles of the values that are not NaN.

    Args:
        x: A tensor of any shape.
        q: One percentage between 0 and 100, or a tensor of them.
        axis: One axis, several, or None for all.
        method: As for `quantile`.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A floating tensor of the shape of `q` followed by the remaining shape.

    Raises:
        ArgumentError: If `method` is unknown or a percentage outside 0 to 100.
        ShapeError: If there is no value.
    """
    return nanquantile(x, _fraction(q), axis, method, keepdims)


@op(tensor="x")
def median(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the middle value over axes, or the mean of the two in the middle.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A floating tensor of the remaining shape; NaN where any value is NaN.

    Raises:
        ShapeError: If there is no value.

    >>> import polykeras as keras
    >>> float(keras.ops.median([9.0, 1.0, 3.0, 2.0]))
    2.5
    """
    return quantile(x, 0.5, axis, "midpoint", keepdims)


@op(tensor="x")
def nanmedian(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the median of the values that are not NaN.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A floating tensor of the remaining shape; NaN where every value is NaN.

    Raises:
        ShapeError: If there is no value.
    """
    return nanquantile(x, 0.5, axis, "midpoint", keepdims)


def _host(q: Any) -> Array | None:
    """Return `q` in float64, or None for tensors: they may carry a gradient."""
    is_array = isinstance(q, np.ndarray | np.generic)
    if isinstance(q, Operand) or (active().is_tensor(q) and not is_array):
        return None
    if isinstance(q, list | tuple):
        values = known_values(q)
        return None if values is None else np.asarray(q, np.float64)
    return np.asarray(q, np.float64)


def _fraction(q: Any) -> Any:
    known = _host(q)
    return known / 100 if known is not None else ops.divide(q, 100.0)


def _quantile(
    name: str, x: Any, q: Any, axis: Any, method: str, keepdims: bool, *, skip: bool
) -> Tensor:
    one_of(name, "method", method, _METHODS)
    reject_complex(name, as_tensor(x))
    x = as_inexact(x)
    shape = tuple(x.shape)
    axes = canonical_axes(name, axis, len(shape))
    reject_empty(name, shape, axes)
    rows = ops.sort(reduced_last(widened(x), axes), axis=-1)
    known = _host(q)
    if known is not None:
        if not np.all((known >= 0) & (known <= 1)):
            raise ArgumentError(
                f"polykeras.ops.{name} expected fractions between 0 and 1 (percentages "
                f"between 0 and 100), got {q!r}."
            )
        q_shape = known.shape
    else:
        q = as_inexact(q)
        q_shape = tuple(q.shape)
    if skip:
        result = _of_valid(rows, q if known is None else known, q_shape, method)
    elif known is not None:
        result = _at_known(rows, known, method)
    else:
        result = _at_unknown(rows, q, method)
    # One column a fraction so far: the fractions' axes come first in the result.
    rank = len(result.shape)
    result = ops.transpose(result, (rank - 1, *range(rank - 1)))
    result = ops.reshape(result, q_shape + reduced_shape(shape, axes, keepdims))
    return ops.cast(result, dtype_of(x))


def _at_known(rows: Tensor, q: Array, method: str) -> Tensor:
    """Return quantiles of sorted rows at positions known now: one slice each."""
    n = rows.shape[-1]
    columns = []
    for position in (q.reshape(-1) * (n - 1)).tolist():
        low = min(math.floor(position), n - 1)
        high = min(math.ceil(position), n - 1)
        weight = _weight(position - low, method)
        column = rows[..., low : low + 1]
        if weight == 1:
            column = rows[..., high : high + 1]
        elif weight:
            column = _between(column, rows[..., high : high + 1], weight)
        columns.append(column)
    result = columns[0] if len(columns) == 1 else ops.concatenate(columns, axis=-1)
    return _or_nan(result, ops.isnan(rows[..., n - 1 : n]))


def _weight(fraction: float, method: str) -> float:
    """Return the weight of the higher of two values."""
    return {
        "linear": fraction,
        "lower": 0.0,
        "higher": 1.0,
        "midpoint": 0.5 if fraction else 0.0,
        "nearest": 1.0 if fraction > 0.5 else 0.0,
    }[method]


def _at_unknown(rows: Tensor, q: Tensor, method: str) -> Tensor:
    """Return quantiles of sorted rows at fractions that are a tensor."""
    n = rows.shape[-1]
    q = ops.cast(ops.reshape(q, (-1,)), dtype_of(rows))
    low, high, weight = _positions(ops.multiply(q, n - 1), n - 1, method)
    result = _between(
        ops.take(rows, low, axis=-1), ops.take(rows, high, axis=-1), weight
    )
    return _or_nan(result, ops.isnan(rows[..., n - 1 : n]))


def _of_valid(rows: Tensor, q: Any, q_shape: tuple[int, ...], method: str) -> Tensor:
    """Return quantiles of sorted rows whose NaN, at the end, do not count."""
    valid = ops.sum(
        ops.cast(ops.logical_not(ops.isnan(rows)), "int32"), axis=-1, keepdims=True
    )
    last = ops.cast(ops.maximum(ops.subtract(valid, 1), 0), dtype_of(rows))
    fractions = ops.cast(ops.reshape(as_tensor(q), (-1,)), dtype_of(rows))
    low, high, weight = _positions(ops.multiply(last, fractions), last, method)
    lower = ops.take_along_axis(rows, low, axis=-1)
    higher = ops.take_along_axis(rows, high, axis=-1)
    return _or_nan(_between(lower, higher, weight), ops.equal(valid, 0))


def _positions(
    position: Tensor, last: Any, method: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Return two neighbouring indices and the weight of the higher one."""
    below = ops.floor(position)
    fraction = ops.subtract(position, below)
    low = ops.cast(ops.clip(below, 0, last), "int32")
    high = ops.cast(ops.clip(ops.ceil(position), 0, last), "int32")
    if method == "linear":
        return low, high, fraction
    if method == "midpoint":
        return low, high, ops.full_like(fraction, 0.5)
    # One index taken twice: a weight of zero would make NaN of an infinite value.
    if method == "nearest":
        low = ops.where(ops.greater(fraction, 0.5), high, low)
    elif method == "higher":
        low = high
    return low, low, fraction


def _between(low: Tensor, high: Tensor, weight: Any) -> Tensor:
    """Interpolate; equal values stay as they are, infinite ones too."""
    # Two Python numbers stay Python numbers: as a tensor they would be floatx.
    rest = 1.0 - weight if isinstance(weight, float) else ops.subtract(1.0, weight)
    mixed = ops.add(ops.multiply(low, rest), ops.multiply(high, weight))
    return ops.where(ops.equal(low, high), low, mixed)


def _or_nan(x: Tensor, missing: Tensor) -> Tensor:
    return ops.where(missing, ops.full_like(x, math.nan), x)
