"""Reductions, scans, sorting, counting and statistics."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.peer._case import Case, bools, complexes, floats, given, ints, op
from tests.peer._written import written

__all__ = ["CASES"]

X = floats(2, 3, 2, low=-2, high=2)
MATRIX = floats(3, 4, low=-2, high=2)
ROW = floats(6, low=-2, high=2)
INTS = ints(7, 2, 3, low=-7)
GAPS = given([[1.0, np.nan, 3.0], [np.nan, -2.0, 0.5]])


def each(names: str, *args: Any, about: Any = None, **kwargs: Any) -> list[Case]:
    return [op(f"ops.{n}", *args, about=about, **kwargs) for n in names.split()]


NO_SLOPE = {"gradient": False}
REDUCTIONS = [
    *(
        case
        for kwargs in ({}, {"axis": 1}, {"axis": (0, 2), "keepdims": True})
        for case in each("amax amin max mean min prod std sum var", X, **kwargs)
    ),
    *each("ptp", X),
    *each("ptp", X, axis=(0, 1), keepdims=True),
    *each("amax amin max min prod ptp sum median", INTS, axis=-1),
    *each("mean std var", INTS, axis=-1),
    *each("sum mean prod max", ints(90, 2, 3, dtype="uint8"), axis=0),
    *each("sum mean", bools(2, 3), axis=0),
    *each("sum mean prod", complexes(2, 3), axis=0),
    *each("max min", MATRIX, axis=0, initial=0.5),
    op("ops.prod", INTS, axis=0, dtype="float32"),
    *each("median", X),
    *each("median", MATRIX, axis=0),
    *each("median", X, axis=(0, 2), keepdims=True),
    op("ops.quantile", ROW, 0.375),
    op("ops.quantile", MATRIX, given([0.125, 0.5, 0.75]), axis=1, about=NO_SLOPE),
    *(
        op("ops.quantile", MATRIX, 0.375, axis=0, method=method, keepdims=True)
        for method in ("linear", "lower", "higher", "nearest", "midpoint")
    ),
    op("ops.average", X),
    op("ops.average", X, axis=1),
    op("ops.average", MATRIX, axis=1, weights=floats(4, low=0.1, high=1)),
    op("ops.average", MATRIX, axis=0, weights=floats(3, 4, low=0.1, high=1)),
    op("ops.moments", X, axes=[0]),
    op("ops.moments", X, axes=[0, 2], keepdims=True),
    *each("all any", bools(2, 3), about=NO_SLOPE),
    *each("all any", bools(2, 3), axis=1, keepdims=True),
    *each("all any", ints(2, 2, 3), axis=0),
    *each("nanmax nanmean nanmin nansum", GAPS, about=NO_SLOPE),
    *each("nanmax nanmean nanmin nansum", GAPS, axis=0, keepdims=True, about=NO_SLOPE),
    *each("count_nonzero", ints(2, 2, 3), about=NO_SLOPE),
    *each("count_nonzero", ints(2, 2, 3), axis=1),
]
SCANS = [
    *each("cumprod cumsum", X),
    *each("cumprod cumsum", X, axis=1),
    *each("cumprod cumsum", INTS, axis=0),
    *each("cumsum cumprod", INTS, axis=1, dtype="float32"),
    op("ops.diff", MATRIX),
    op("ops.diff", MATRIX, n=2, axis=0),
    op("ops.diff", INTS),
]
ORDER = [
    *each("argmax argmin", X, about=NO_SLOPE),
    *each("argmax argmin", X, axis=1, about=NO_SLOPE),
    *each("argmax argmin", MATRIX, axis=-1, keepdims=True, about=NO_SLOPE),
    *each("argmax argmin", given([[1, 3, 3, 1]], "int32"), axis=1),
    *each("sort", MATRIX),
    *each("sort", X, axis=0),
    *each("sort", INTS, axis=1),
    *each("argsort", MATRIX, about=NO_SLOPE),
    *each("argsort", X, axis=0, about=NO_SLOPE),
    op("ops.argsort", given([3, 1, 3, 1, 2], "int32")),
    op("ops.top_k", MATRIX, 2),
    op("ops.top_k", INTS, 2),
    op("ops.searchsorted", given([0.0, 1, 2, 3]), given([0.5, 1.0, 9.0, -1.0])),
    op(
        "ops.searchsorted",
        given([0.0, 1, 2, 3]),
        given([0.5, 1.0, 9.0, -1.0]),
        side="right",
    ),
    op("ops.digitize", given([0.2, 6.4, 3.0, 1.0]), given([0.0, 1.0, 2.5, 4.0, 10.0])),
    op("ops.nonzero", ints(2, 2, 3)),
    op("ops.nonzero", ints(2, 5)),
    op("ops.digitize", given([[0.0, 2.5], [11.0, -1.0]]), given([0.0, 2.5])),
    op("ops.unique", given([3, 1, 2, 3, 1], "int32")),
    op(
        "ops.unique",
        given([3, 1, 2, 3, 1], "int32"),
        return_index=True,
        return_inverse=True,
        return_counts=True,
    ),
    op("ops.unique", given([3, 1, 2, 3, 1], "int32"), size=5, fill_value=9),
]


def partitioned(keras: Any, x: Any, kth: int) -> Any:
    """Return what a partition says: the number itself, and who is below."""
    order = keras.ops.argpartition(x, kth)
    values = keras.ops.take_along_axis(x, order, axis=-1)
    return values[..., kth], keras.ops.sort(values[..., :kth], axis=-1)


COUNTS = [
    # Keras on TensorFlow partitions at another place.
    written("ops.argpartition", partitioned, MATRIX, 1, engine="jax"),
    written("ops.argpartition", partitioned, INTS, 0),
    op("ops.bincount", ints(5, 8)),
    op("ops.bincount", ints(5, 8), minlength=9),
    op("ops.bincount", ints(3, 4), weights=floats(4, low=0, high=1), minlength=4),
    op("ops.bincount", ints(3, 2, 4), minlength=4),
    op("ops.segment_sum", floats(6, 2), given([0, 0, 1, 1, 3, 3], "int32"), 4),
    op("ops.segment_sum", floats(6), given([2, 0, 1, 1, 3, 0], "int32"), 4),
    op("ops.segment_max", floats(6, 2), given([0, 0, 1, 1, 2, 2], "int32"), 3),
    op(
        "ops.segment_max",
        floats(6),
        given([0, 0, 1, 1, 2, 2], "int32"),
        3,
        sorted=True,
    ),
    op("ops.one_hot", ints(4, 2, 3), 4),
    op("ops.one_hot", ints(4, 2, 3), 4, axis=1, dtype="int32"),
    op("ops.one_hot", given([0, -1, 4], "int32"), 3),
    op("ops.multi_hot", ints(4, 2, 3), 4),
    op("ops.multi_hot", ints(4, 3), 4, dtype="int32"),
]
CASES = [*REDUCTIONS, *SCANS, *ORDER, *COUNTS]
