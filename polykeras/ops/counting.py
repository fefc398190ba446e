"""Counting and comparing the values of a tensor as a set."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from polykeras import config, dtypes, ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, OperationNotSupported, ShapeError
from polykeras.ops._declare import op
from polykeras.ops._reducing import host_values, reject_complex, require_integers
from polykeras.ops._shapes import canonical_axis
from polykeras.ops._values import as_tensor, dtype_of

__all__ = ["bincount", "histogram", "isin", "unique"]

# Above this many comparisons, sorting is faster and needs less memory.
_MANY = 1 << 18


@op(integer="x", tensor="weights")
def bincount(
    x: Tensor, weights: Tensor | None = None, minlength: int = 0, sparse: bool = False
) -> Tensor:
    """Return how often each number from 0 on occurs.

    Args:
        x: An integer tensor of shape ``(n,)``, or ``(batch, n)`` to count each row.
        weights: What each value counts, of the shape of `x`; None means 1.
        minlength: Least length of the result. While a function is compiled, where
            the largest value is unknown, it is the length, and larger values are
            left out.
        sparse: Must be False; results are dense.

    Returns:
        A tensor of shape ``(length,)`` or ``(batch, length)``, with the dtype of
        `weights`, or int32.

    Raises:
        ShapeError: If `x` has another number of axes or `weights` another shape.
        ArgumentError: If a value is negative.
        OperationNotSupported: While compiling, without `minlength`.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.bincount([1, 2, 2])).tolist()
    [0, 1, 2]
    """
    x = as_tensor(x)
    require_integers("bincount", x)
    if sparse:
        raise ArgumentError("polykeras.ops.bincount has dense results: sparse=False.")
    shape = tuple(x.shape)
    if not 1 <= len(shape) <= 2:
        raise ShapeError(
            "polykeras.ops.bincount expected the shape (n,) or (batch, n), got "
            f"{shape}."
        )
    if weights is None:
        weights = ops.ones(shape, dtype="int32")
    else:
        weights = as_tensor(weights)
        if tuple(weights.shape) != shape:
            raise ShapeError(
                "polykeras.ops.bincount expected weights of the shape of x, got "
                f"{tuple(weights.shape)} for {shape}."
            )
    length = _bins(x, operator.index(minlength))
    rows = math.prod(shape[:-1])
    x = ops.cast(x, "int32")
    if len(shape) == 2:
        # Rows follow one another; what lies outside of its row is outside of all.
        inside = ops.logical_and(ops.less(x, length), ops.greater_equal(x, 0))
        first = ops.multiply(ops.arange(rows, dtype="int32"), length)
        x = ops.where(inside, ops.add(x, ops.expand_dims(first, 1)), -1)
    flat = ops.segment_sum(
        ops.reshape(weights, (-1,)), ops.reshape(x, (-1,)), rows * length
    )
    return flat if len(shape) == 1 else ops.reshape(flat, (rows, length))


def _bins(x: Tensor, minlength: int) -> int:
    """Return the length of the result of `bincount`."""
    try:
        values = host_values(
            "bincount", x, "Pass `minlength`, which then is the length."
        )
    except OperationNotSupported:
        if minlength > 0:
            return minlength
        raise
    if values.size == 0:
        return minlength
    if values.min() < 0:
        raise ArgumentError(
            "polykeras.ops.bincount expected values that are not negative, got "
            f"{int(values.min())}."
        )
    return max(minlength, int(values.max()) + 1)


@op(tensor="x", differentiable=False)
def histogram(
    x: Tensor, bins: int = 10, range: tuple[float, float] | None = None
) -> tuple[Tensor, Tensor]:
    """Return how many values fall into each of some equal intervals.

    Args:
        x: A tensor of any shape; it is flattened.
        bins: Number of intervals.
        range: Lower and upper end; values outside do not count. None spans the
            smallest to the largest value.

    Returns:
        ``(counts, edges)``: an int32 tensor of shape ``(bins,)`` and a floating one
        of shape ``(bins + 1,)``. Each interval holds its lower edge, the last one
        both.

    Raises:
        ArgumentError: If `bins` is not positive or `range` not ascending.

    >>> import polykeras as keras
    >>> counts, edges = keras.ops.histogram([0.0, 1.0, 2.0, 2.0], bins=2)
    >>> keras.ops.convert_to_numpy(counts).tolist()
    [1, 3]
    """
    x = as_tensor(x)
    reject_complex("histogram", x)
    if operator.index(bins) < 1:
        raise ArgumentError(f"polykeras.ops.histogram expected bins >= 1, got {bins}.")
    dtype = dtypes.to_inexact(dtype_of(x), config.floatx())
    x = ops.cast(ops.reshape(x, (-1,)), dtype)
    if range is not None:
        low, high = float(range[0]), float(range[1])
        if not low <= high:
            raise ArgumentError(
                "polykeras.ops.histogram expected an ascending range, got "
                f"({low}, {high})."
            )
        ends = ops.cast(np.array([low, high]), dtype)
    elif x.shape[0] == 0:
        ends = ops.cast(np.array([0.0, 1.0]), dtype)
    else:
        ends = ops.stack([ops.min(x), ops.max(x)])
    start, stop = ends[0], ends[1]
    # A single value gets an interval around it.
    half = ops.where(ops.equal(start, stop), 0.5, 0.0)
    half = ops.cast(half, dtype)
    start, stop = ops.subtract(start, half), ops.add(stop, half)
    steps = ops.cast(np.arange(bins + 1) / bins, dtype)
    edges = ops.add(
        ops.multiply(start, ops.subtract(1.0, steps)), ops.multiply(stop, steps)
    )
    place = ops.subtract(ops.searchsorted(edges, x, side="right"), 1)
    place = ops.where(ops.equal(x, stop), bins - 1, place)
    inside = ops.logical_and(ops.greater_equal(x, start), ops.less_equal(x, stop))
    place = ops.where(inside, ops.clip(place, 0, bins - 1), -1)
    counts = ops.segment_sum(ops.ones_like(place, dtype="int32"), place, bins)
    return counts, edges


@op(common="x1 x2", differentiable=False)
def isin(
    x1: Tensor, x2: Tensor, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Return whether each value of one tensor occurs in another.

    Args:
        x1: A tensor of any shape.
        x2: A tensor of any shape: the values to look for.
        assume_unique: A hint that neither tensor repeats a value.
        invert: Whether to return where values do not occur.

    Returns:
        A bool tensor of the shape of `x1`. NaN equals nothing.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.isin([1, 2, 3], [3, 1])).tolist()
    [True, False, True]
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    target = dtypes.result_type(dtype_of(x1), dtype_of(x2))
    x1, x2 = ops.cast(x1, target), ops.reshape(ops.cast(x2, target), (-1,))
    n = x2.shape[0]
    if n == 0:
        found = ops.zeros(tuple(x1.shape), dtype="bool")
    elif math.prod(x1.shape) * n <= _MANY or dtypes.is_complex(target):
        found = ops.any(ops.equal(ops.expand_dims(x1, -1), x2), axis=-1)
    else:
        x2 = ops.sort(x2)
        if dtypes.is_inexact(target):
            # NaN, at the end, would break the search; +inf is never equal to it.
            x2 = ops.where(ops.isnan(x2), ops.full_like(x2, math.inf), x2)
        place = ops.minimum(ops.searchsorted(x2, x1), n - 1)
        found = ops.equal(ops.take(x2, place, axis=0), x1)
    return ops.logical_not(found) if invert else found


@op(tensor="x", differentiable=False)
def unique(
    x: Tensor,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """Return the values that occur, each once.

    Args:
        x: A tensor of any shape.
        sorted: Whether the order must be ascending; it is in either case.
        return_index: Whether to return where each value occurs first.
        return_inverse: Whether to return which of the values each element is.
        return_counts: Whether to return how often each value occurs.
        axis: Compare the slices along this axis; None compares single values.
        size: The number of values to return, which makes the shape of the result
            independent of the data: larger ones are cut off, missing ones filled.
        fill_value: What fills missing values; None means 0. Missing indices and
            counts are 0.

    Returns:
        The values, and behind them in a tuple the int32 tensors asked for, in the
        order of the arguments. The inverse has the shape of `x`, or one axis where
        `axis` is given. NaN counts as one value.

    Raises:
        OperationNotSupported: While compiling, without `size`.
        ArgumentError: If the axis does not exist or `size` is negative.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.unique([3, 1, 3, 2])).tolist()
    [1, 2, 3]
    """
    x = as_tensor(x)
    reject_complex("unique", x)
    shape = tuple(x.shape)
    if axis is None:
        rows = ops.reshape(x, (-1, 1))
    else:
        axis = canonical_axis("unique", axis, len(shape))
        x = ops.moveaxis(x, axis, 0)
        rows = ops.reshape(x, (x.shape[0], math.prod(x.shape[1:])))
    groups = _Groups(rows)
    if size is None:
        size = groups.size()
    elif operator.index(size) < 0:
        raise ArgumentError(f"polykeras.ops.unique expected size >= 0, got {size}.")
    values = groups.values(size, 0 if fill_value is None else fill_value)
    if axis is None:
        result = ops.reshape(values, (size,))
    else:
        result = ops.moveaxis(ops.reshape(values, (size, *x.shape[1:])), 0, axis)
    extra = []
    if return_index:
        extra.append(groups.index(size))
    if return_inverse:
        inverse = groups.inverse()
        extra.append(ops.reshape(inverse, shape) if axis is None else inverse)
    if return_counts:
        extra.append(groups.counts(size))
    return (result, *extra) if extra else result


class _Groups:
    """Equal rows of a matrix, found by sorting: each run of equals is a group."""

    def __init__(self, rows: Tensor) -> None:
        n, width = rows.shape
        order = ops.arange(n, dtype="int32")
        # Least significant column first: stable sorts leave the order of the rest.
        for column in reversed(range(width)):
            keys = ops.take(rows[:, column], order, axis=0)
            order = ops.take(order, ops.argsort(keys), axis=0)
        self.order = order
        self.rows = ops.take(rows, order, axis=0) if n else rows
        self.count = n
        ahead = ops.get_item(self.rows, slice(1, None))
        behind = ops.get_item(self.rows, slice(0, max(n - 1, 0)))
        differ = ops.not_equal(ahead, behind)
        if dtypes.is_inexact(dtype_of(rows)):
            both = ops.logical_and(ops.isnan(ahead), ops.isnan(behind))
            differ = ops.logical_and(differ, ops.logical_not(both))
        starts = ops.cast(ops.any(differ, axis=1), "int32")
        first = ops.zeros((min(n, 1),), dtype="int32")
        # The number of the group of each sorted row, ascending.
        self.number = ops.cumsum(ops.concatenate([first, starts], axis=0), axis=0)

    def size(self) -> int:
        """Return the number of groups."""
        if self.count == 0:
            return 0
        last = self.number[-1:]
        return int(host_values("unique", last, "Pass `size`.")[0]) + 1

    def _starts(self, size: int) -> tuple[Tensor, Tensor]:
        """Return where each group starts, and whether it exists."""
        wanted = ops.arange(size, dtype="int32")
        start = ops.searchsorted(self.number, wanted, side="left")
        exists = ops.less(start, self.count)
        return ops.minimum(start, max(self.count - 1, 0)), exists

    def values(self, size: int, fill_value: Any) -> Tensor:
        """Return one row of each group."""
        width = self.rows.shape[1]
        fill = ops.full((size, width), fill_value, dtype=dtype_of(self.rows))
        if self.count == 0 or size == 0:
            return fill
        start, exists = self._starts(size)
        chosen = ops.take(self.rows, start, axis=0)
        return ops.where(ops.expand_dims(exists, 1), chosen, fill)

    def index(self, size: int) -> Tensor:
        """Return where each group occurs first in the unsorted rows."""
        if self.count == 0 or size == 0:
            return ops.zeros((size,), dtype="int32")
        start, exists = self._starts(size)
        index = ops.take(self.order, start, axis=0)
        return ops.where(exists, index, ops.zeros_like(index))

    def inverse(self) -> Tensor:
        """Return the group of each unsorted row."""
        if self.count == 0:
            return self.number
        return ops.take(self.number, ops.argsort(self.order), axis=0)

    def counts(self, size: int) -> Tensor:
        """Return the number of rows in each group."""
        wanted = ops.arange(size, dtype="int32")
        return ops.subtract(
            ops.searchsorted(self.number, wanted, side="right"),
            ops.searchsorted(self.number, wanted, side="left"),
        )
