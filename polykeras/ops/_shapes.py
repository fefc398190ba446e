"""Shape arithmetic that abstract rules and ``prepare`` rules share."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from polykeras.errors import ArgumentError, ShapeError

__all__ = [
    "as_shape",
    "broadcast_shapes",
    "canonical_axes",
    "canonical_axis",
    "reduced_shape",
]


def as_shape(shape: Any) -> tuple[int, ...]:
    """Return a shape given as an int or any sequence of ints as a tuple.

    Raises:
        ShapeError: If a size is None, as those of symbolic tensors may be.
    """
    try:
        if isinstance(shape, Sequence):
            return tuple(operator.index(n) for n in shape)
        try:
            return (operator.index(shape),)
        except TypeError:
            return tuple(operator.index(n) for n in shape)
    except TypeError:
        if isinstance(shape, Sequence) and None in shape:
            raise ShapeError(
                f"Expected a shape of integers, got {tuple(shape)}: the size of a "
                "symbolic tensor may be unknown. Use -1 in reshape, or do the "
                "computation in the `call` of a layer, where sizes are known."
            ) from None
        raise


def broadcast_shapes(op: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that `shapes` broadcast to.

    Raises:
        ShapeError: If they do not; the message names `op`.
    """
    rank = max(map(len, shapes), default=0)
    result = []
    for i in range(-rank, 0):
        sizes = {s[i] for s in shapes if len(s) >= -i and s[i] != 1}
        if len(sizes) > 1:
            shown = " and ".join(map(str, shapes))
            raise ShapeError(
                f"polykeras.ops.{op} cannot broadcast the shapes {shown}: axis {i} has "
                f"sizes {sorted(sizes)}. Sizes must be equal or 1."
            )
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def canonical_axis(op: str, axis: Any, ndim: int) -> int:
    """Return a non-negative axis.

    Raises:
        ArgumentError: If the axis is out of range or no integer.
    """
    try:
        index = operator.index(axis)
    except TypeError:
        raise ArgumentError(
            f"polykeras.ops.{op} expected an integer axis, got {axis!r}."
        ) from None
    if not -ndim <= index < ndim:
        raise ArgumentError(
            f"polykeras.ops.{op} got axis {index} for a tensor with {ndim} axes. "
            f"Use a value from {-ndim} to {ndim - 1}."
        )
    return index % ndim


def canonical_axes(op: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """Return sorted non-negative axes; None means all of them.

    Raises:
        ArgumentError: If an axis is out of range or named twice.
    """
    if axis is None:
        return tuple(range(ndim))
    if type(axis) is int:
        return (canonical_axis(op, axis, ndim),)
    given = axis if isinstance(axis, list | tuple) else (axis,)
    axes = tuple(canonical_axis(op, a, ndim) for a in given)
    if len(set(axes)) != len(axes):
        raise ArgumentError(f"polykeras.ops.{op} got the axis {axis} with a repeat.")
    return tuple(sorted(axes))


def reduced_shape(
    shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool
) -> tuple[int, ...]:
    """Return the shape left after reducing over `axes`."""
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)
