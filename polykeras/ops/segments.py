"""Reductions over groups of rows.

A row whose id is negative or at least the number of segments takes no part. An
empty segment gives the reduction's neutral value: 0, 1, or the lowest or highest
value of the dtype.
"""

from __future__ import annotations

from typing import Any

from polykeras import dtypes
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from polykeras.ops._declare import op
from polykeras.ops._registry import REGISTRY
from polykeras.ops._values import as_tensor, dtype_of, known_values
from polykeras.ops.indexing import take
from polykeras.ops.scattering import scatter_update
from polykeras.ops.shaping import reshape

__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]


@op(tensor="data", integer="segment_ids")
def segment_sum(
    data: Tensor,
    segment_ids: Tensor,
    num_segments: int | None = None,
    sorted: bool = False,
) -> Tensor:
    """Return the sum of the rows of each segment.

    Args:
        data: A tensor of shape ``(N, ...)``.
        segment_ids: N integers, the segment of each row.
        num_segments: How many segments there are; None means the largest id plus
            one, whose value must be known.
        sorted: Whether the ids rise, which may be faster.

    Returns:
        A tensor of shape ``(num_segments, ...)``.

    Raises:
        ShapeError: If there is not one id a row.
        ArgumentError: If `num_segments` is None and the ids are being traced.

    >>> import polykeras as keras
    >>> [int(v) for v in keras.ops.segment_sum([1, 2, 3], [0, 1, 0])]
    [4, 2]
    """
    return _reduce("segment_sum", data, segment_ids, num_segments, "add", 0)


@op(tensor="data", integer="segment_ids")
def segment_prod(
    data: Tensor,
    segment_ids: Tensor,
    num_segments: int | None = None,
    sorted: bool = False,
) -> Tensor:
    """Return the product of the rows of each segment.

    Args:
        data: As for `segment_sum`.
        segment_ids: As for `segment_sum`.
        num_segments: As for `segment_sum`.
        sorted: As for `segment_sum`.

    Returns:
        A tensor of shape ``(num_segments, ...)``.
    """
    return _reduce("segment_prod", data, segment_ids, num_segments, "mul", 1)


@op(tensor="data", integer="segment_ids")
def segment_max(
    data: Tensor,
    segment_ids: Tensor,
    num_segments: int | None = None,
    sorted: bool = False,
) -> Tensor:
    """Return the largest values of the rows of each segment.

    Args:
        data: As for `segment_sum`.
        segment_ids: As for `segment_sum`.
        num_segments: As for `segment_sum`.
        sorted: As for `segment_sum`.

    Returns:
        A tensor of shape ``(num_segments, ...)``.

    >>> import polykeras as keras
    >>> [float(v) for v in keras.ops.segment_max([1.0, 5.0, 3.0], [0, 0, 1])]
    [5.0, 3.0]
    """
    lowest = _limit("segment_max", dtype_of(as_tensor(data)))
    return _reduce("segment_max", data, segment_ids, num_segments, "max", lowest)


@op(tensor="data", integer="segment_ids")
def segment_min(
    data: Tensor,
    segment_ids: Tensor,
    num_segments: int | None = None,
    sorted: bool = False,
) -> Tensor:
    """Return the smallest values of the rows of each segment.

    Args:
        data: As for `segment_sum`.
        segment_ids: As for `segment_sum`.
        num_segments: As for `segment_sum`.
        sorted: As for `segment_sum`.

    Returns:
        A tensor of shape ``(num_segments, ...)``.
    """
    highest = _limit("segment_min", dtype_of(as_tensor(data)))
    return _reduce("segment_min", data, segment_ids, num_segments, "min", highest)


def _limit(name: str, dtype: str) -> float:
    """Return what the reduction of no rows gives.

    Raises:
        DTypeError: If the dtype has no order.
    """
    if dtype == "bool" or dtypes.is_complex(dtype):
        raise DTypeError(
            f"polykeras.ops.{name} compares numbers, got dtype {dtype}. Use ops.cast."
        )
    largest = name == "segment_min"
    if dtypes.is_integer(dtype):
        bits, signed = int(dtype.lstrip("uint")), not dtype.startswith("u")
        if largest:
            return int(2 ** (bits - signed) - 1)
        return -(2 ** (bits - 1)) if signed else 0
    return float("inf") if largest else -float("inf")


def _canonical(
    name: str, data: Tensor, ids: Tensor, num_segments: Any
) -> tuple[Tensor, Tensor, int]:
    data, ids = as_tensor(data), as_tensor(ids)
    if len(ids.shape) != 1 or tuple(data.shape[:1]) != tuple(ids.shape):
        raise ShapeError(
            f"polykeras.ops.{name} expected one segment id for each row, got data of "
            f"shape {tuple(data.shape)} and ids of shape {tuple(ids.shape)}."
        )
    if num_segments is None:
        known = known_values(ids)
        if known is None:
            raise ArgumentError(
                f"polykeras.ops.{name} needs num_segments where the values of the ids "
                "are not known, because the result's shape depends on it."
            )
        num_segments = int(known.max()) + 1 if known.size else 0
    return data, ids, int(num_segments)


@segment_sum.prepare
def _(data: Tensor, ids: Tensor, n: Any, sorted: bool) -> tuple[Any, ...]:
    return *_canonical("segment_sum", data, ids, n), sorted


@segment_prod.prepare
def _(data: Tensor, ids: Tensor, n: Any, sorted: bool) -> tuple[Any, ...]:
    return *_canonical("segment_prod", data, ids, n), sorted


@segment_max.prepare
def _(data: Tensor, ids: Tensor, n: Any, sorted: bool) -> tuple[Any, ...]:
    _limit("segment_max", dtype_of(data))
    return *_canonical("segment_max", data, ids, n), sorted


@segment_min.prepare
def _(data: Tensor, ids: Tensor, n: Any, sorted: bool) -> tuple[Any, ...]:
    _limit("segment_min", dtype_of(data))
    return *_canonical("segment_min", data, ids, n), sorted


@segment_sum.vjp("data")
def _(
    g: Tensor, out: Tensor, data: Tensor, ids: Tensor, n: int, sorted: bool
) -> Tensor:
    if n == 0:
        return REGISTRY["zeros_like"](data)
    inside = _inside(ids, n)
    rows = take(g, REGISTRY["where"](inside, ids, 0), 0)
    known = known_values(inside)
    if known is not None and known.all():
        return rows
    column = reshape(inside, (int(ids.shape[0]),) + (1,) * (len(data.shape) - 1))
    return REGISTRY["where"](column, rows, REGISTRY["zeros_like"](rows))


def _inside(ids: Tensor, n: int) -> Tensor:
    less = REGISTRY["less"]
    if dtype_of(ids).startswith("u"):
        return less(ids, n)
    return REGISTRY["logical_and"](less(-1, ids), less(ids, n))


def _reduce(
    name: str, data: Any, ids: Any, num_segments: Any, reduction: str, neutral: float
) -> Tensor:
    """Scatter the rows; those outside go to one more segment, which is cut off."""
    data, ids, n = _canonical(name, data, ids, num_segments)
    start = REGISTRY["full"]((n + 1, *data.shape[1:]), neutral, dtype_of(data))
    ids = REGISTRY["where"](_inside(ids, n), ids, n)
    places = reshape(ids, (int(ids.shape[0]), 1))
    out = scatter_update(start, places, data, reduction)
    return REGISTRY["get_item"](out, slice(0, n))
