"""Sorting, selecting and searching.

NaN counts as larger than every number: it comes last in ascending order and first
in `top_k`. Equal values keep their order. Indices are int32.
"""

from __future__ import annotations

import math
import operator
from typing import Any

from polykeras import dtypes, ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._reducing import (
    one_of,
    reject_complex,
    require_integers,
    unknown_shape,
)
from polykeras.ops._shapes import canonical_axis
from polykeras.ops._values import as_tensor, dtype_of

__all__ = [
    "argpartition",
    "argsort",
    "digitize",
    "in_top_k",
    "nonzero",
    "searchsorted",
    "sort",
    "top_k",
]


@primitive(tensor="x")
def sort(x: Tensor, axis: int | None = -1) -> Tensor:
    """Return the values in ascending order along an axis, NaN last.

    Args:
        x: A tensor of any shape.
        axis: The axis to sort along; None sorts the flattened tensor.

    Returns:
        A tensor of the shape of `x`, flat where `axis` is None.

    Raises:
        ArgumentError: If the axis does not exist.
        DTypeError: If `x` is complex.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sort([3, 1, 2])).tolist()
    [1, 2, 3]
    """


@primitive(tensor="x", differentiable=False)
def argsort(x: Tensor, axis: int | None = -1) -> Tensor:
    """Return the indices that sort along an axis; equal values keep their order.

    Args:
        x: A tensor of any shape.
        axis: The axis to sort along; None sorts the flattened tensor.

    Returns:
        An int32 tensor of the shape of `x`, flat where `axis` is None.

    Raises:
        ArgumentError: If the axis does not exist.
        DTypeError: If `x` is complex.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.argsort([3, 1, 2])).tolist()
    [1, 2, 0]
    """


def _prepare_sort(name: str, x: Tensor, axis: Any) -> tuple[Any, ...]:
    reject_complex(name, x)
    if axis is None or not x.shape:
        if axis not in (None, 0, -1):
            canonical_axis(name, axis, 1)
        return ops.reshape(x, (-1,)), 0
    return x, canonical_axis(name, axis, len(x.shape))


@sort.prepare
def _(x: Tensor, axis: Any) -> tuple[Any, ...]:
    return _prepare_sort("sort", x, axis)


@argsort.prepare
def _(x: Tensor, axis: Any) -> tuple[Any, ...]:
    return _prepare_sort("argsort", x, axis)


@sort.abstract
def _(x: Spec, axis: int) -> Spec:
    return x


@argsort.abstract
def _(x: Spec, axis: int) -> Spec:
    return Spec(x.shape, "int32")


@sort.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, axis: int) -> Tensor:
    # The rank of each value: where in the sorted result its gradient stands.
    rank = argsort(argsort(x, axis=axis), axis=axis)
    return ops.take_along_axis(g, rank, axis=axis)


@primitive(tensor="x")
def top_k(x: Tensor, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """Return the largest values along the last axis, and where they stand.

    Args:
        x: A tensor of shape ``(..., n)``.
        k: How many values, at most ``n``.
        sorted: Whether the order must be descending; it is in either case.

    Returns:
        ``(values, indices)`` of shape ``(..., k)``, the indices int32. Of equal
        values the first comes first.

    Raises:
        ShapeError: If `x` has no axis.
        ArgumentError: If `k` is not between 0 and ``n``.

    >>> import polykeras as keras
    >>> values, indices = keras.ops.top_k([5, 2, 7, 1], k=2)
    >>> keras.ops.convert_to_numpy(indices).tolist()
    [2, 0]
    """


@top_k.prepare
def _(x: Tensor, k: Any, sorted: bool) -> tuple[Any, ...]:
    reject_complex("top_k", x)
    if not x.shape:
        raise ShapeError("polykeras.ops.top_k expected an axis, got a scalar.")
    k = operator.index(k)
    if not 0 <= k <= x.shape[-1]:
        raise ArgumentError(
            "polykeras.ops.top_k expected `k` between 0 and the size of the last "
            f"axis, got k={k} for the shape {tuple(x.shape)}."
        )
    return x, k, bool(sorted)


@top_k.abstract
def _(x: Spec, k: int, sorted: bool) -> tuple[Spec, Spec]:
    shape = (*x.shape[:-1], k)
    return Spec(shape, x.dtype), Spec(shape, "int32")


@top_k.vjp("x")
def _(
    g: tuple[Tensor, Tensor],
    out: tuple[Tensor, Tensor],
    x: Tensor,
    k: int,
    sorted: bool,
) -> Tensor:
    shape = tuple(x.shape)
    rows = math.prod(shape[:-1])
    first = ops.reshape(ops.multiply(ops.arange(rows), shape[-1]), (rows, 1))
    places = ops.add(ops.reshape(out[1], (rows, k)), first)
    flat = ops.scatter(
        ops.reshape(places, (rows * k, 1)),
        ops.reshape(g[0], (rows * k,)),
        (math.prod(shape),),
    )
    return ops.reshape(flat, shape)


@op(tensor="x", differentiable=False)
def argpartition(x: Tensor, kth: Any, axis: int | None = -1) -> Tensor:
    """Return indices that put the `kth` value in its sorted place.

    What is smaller comes before it and what is larger behind. All backends return
    the sorted order, which is one such partition, so that they agree.

    Args:
        x: A tensor of any shape.
        kth: The place; negative values count from the end.
        axis: The axis to follow; None follows the flattened tensor.

    Returns:
        An int32 tensor of the shape of `x`, flat where `axis` is None.

    Raises:
        ArgumentError: If `kth` or the axis does not exist.

    >>> import polykeras as keras
    >>> int(keras.ops.argpartition([9, 1, 5], 1)[1])
    2
    """
    x = as_tensor(x)
    order = argsort(x, axis=axis)
    along = 0 if axis is None else canonical_axis("argpartition", axis, len(x.shape))
    size = order.shape[along]
    for place in kth if isinstance(kth, list | tuple) else (kth,):
        if not -size <= operator.index(place) < size:
            raise ArgumentError(
                f"polykeras.ops.argpartition expected `kth` from {-size} to {size - 1} "
                f"for the shape {tuple(x.shape)} and axis {axis}, got {place}."
            )
    return order


@primitive(common="sorted_sequence values", differentiable=False)
def searchsorted(sorted_sequence: Tensor, values: Tensor, side: str = "left") -> Tensor:
    """Return where values belong in a sorted sequence.

    Args:
        sorted_sequence: A tensor of shape ``(n,)`` in ascending order, without NaN.
        values: A tensor of any shape; NaN belongs at the end.
        side: ``"left"`` for the first place that keeps the order, ``"right"`` for
            the last one.

    Returns:
        An int32 tensor of the shape of `values`, from 0 to ``n``.

    Raises:
        ShapeError: If the sequence has another number of axes.
        ArgumentError: If `side` is unknown.

    >>> import polykeras as keras
    >>> int(keras.ops.searchsorted([1, 3, 5], 3))
    1
    """


@searchsorted.prepare
def _(sorted_sequence: Tensor, values: Tensor, side: str) -> tuple[Any, ...]:
    one_of("searchsorted", "side", side, ("left", "right"))
    reject_complex("searchsorted", sorted_sequence)
    if len(sorted_sequence.shape) != 1:
        raise ShapeError(
            "polykeras.ops.searchsorted expected a sequence with one axis, got the "
            f"shape {tuple(sorted_sequence.shape)}."
        )
    return sorted_sequence, values, side


@searchsorted.abstract
def _(sorted_sequence: Spec, values: Spec, side: str) -> Spec:
    return Spec(values.shape, "int32")


@op(common="x bins", differentiable=False)
def digitize(x: Tensor, bins: Tensor) -> Tensor:
    """Return the number of the bin that each value falls into.

    Args:
        x: A tensor of any shape.
        bins: The edges of the bins, ascending, of shape ``(n,)``.

    Returns:
        An int32 tensor of the shape of `x`: ``i`` where
        ``bins[i - 1] <= x < bins[i]``, 0 below the first edge, ``n`` from the last.

    Raises:
        ShapeError: If `bins` has another number of axes.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.digitize([0.5, 3.0], [1.0, 3.0])).tolist()
    [0, 2]
    """
    return searchsorted(bins, x, side="right")


@primitive(tensor="x", differentiable=False)
def nonzero(x: Tensor) -> tuple[Tensor, ...]:
    """Return the indices of all values that are not zero.

    Args:
        x: A tensor of any shape.

    Returns:
        One int32 tensor an axis, of shape ``(found,)``, in row-major order.

    Raises:
        OperationNotSupported: While compiling, where the number found is unknown.

    >>> import polykeras as keras
    >>> rows, columns = keras.ops.nonzero([[0, 1], [2, 0]])
    >>> keras.ops.convert_to_numpy(columns).tolist()
    [1, 0]
    """


@nonzero.prepare
def _(x: Tensor) -> tuple[Any, ...]:
    if not x.shape:
        raise ShapeError(
            "polykeras.ops.nonzero expected at least one axis, got a scalar. Use "
            "ops.reshape(x, (1,))."
        )
    return (x,)


@nonzero.abstract
def _(x: Spec) -> tuple[Spec, ...]:
    raise unknown_shape(
        "nonzero", "Use ops.where(condition, a, b), whose shape is known, instead."
    )


@op(differentiable=False, integer="targets", tensor="predictions")
def in_top_k(targets: Tensor, predictions: Tensor, k: int) -> Tensor:
    """Return whether the score of each target is among the `k` best of its row.

    Args:
        targets: An integer tensor of shape ``(batch,)`` of class numbers.
        predictions: A tensor of shape ``(batch, classes)`` of scores.
        k: How many of the best count; ties with the last one count too.

    Returns:
        A bool tensor of shape ``(batch,)``; False for classes that do not exist and
        scores that are not finite.

    Raises:
        ShapeError: If the shapes do not fit.

    >>> import polykeras as keras
    >>> hit = keras.ops.in_top_k([2, 0], [[0.1, 0.3, 0.6], [0.1, 0.3, 0.6]], k=2)
    >>> keras.ops.convert_to_numpy(hit).tolist()
    [True, False]
    """
    targets, predictions = as_tensor(targets), as_tensor(predictions)
    require_integers("in_top_k", targets)
    shape = tuple(predictions.shape)
    if len(shape) != 2 or tuple(targets.shape) != shape[:1]:
        raise ShapeError(
            "polykeras.ops.in_top_k expected targets (batch,) and predictions (batch, "
            f"classes), got the shapes {tuple(targets.shape)} and {shape}."
        )
    classes = shape[1]
    exists = ops.logical_and(ops.greater_equal(targets, 0), ops.less(targets, classes))
    place = ops.expand_dims(ops.where(exists, targets, ops.zeros_like(targets)), 1)
    score = ops.take_along_axis(predictions, place, axis=1)
    better = ops.count_nonzero(ops.greater(predictions, score), axis=1)
    hit = ops.logical_and(exists, ops.less(better, k))
    if dtypes.is_inexact(dtype_of(score)):
        hit = ops.logical_and(hit, ops.isfinite(ops.squeeze(score, 1)))
    return hit
