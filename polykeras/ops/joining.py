"""Stacking, splitting and repeating tensors."""

from __future__ import annotations

import builtins
import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._declare import op
from polykeras.ops._registry import REGISTRY
from polykeras.ops._shapes import as_shape, canonical_axis
from polykeras.ops._values import as_tensor, known_values
from polykeras.ops.shaping import broadcast_to, concatenate, ravel, reshape

__all__ = [
    "append",
    "array_split",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "meshgrid",
    "repeat",
    "split",
    "stack",
    "tile",
    "unstack",
    "vsplit",
    "vstack",
]


# -- stacking ------------------------------------------------------------------


@op(sequence="x")
def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Return tensors of one shape joined along a new axis.

    Args:
        x: Tensors of equal shape; their dtypes are promoted.
        axis: Where the new axis stands in the result.

    Returns:
        A tensor with one axis more.

    Raises:
        ShapeError: If the shapes differ.

    >>> import polykeras as keras
    >>> keras.ops.stack([[1, 2], [3, 4], [5, 6]], axis=1).shape
    (2, 3)
    """
    items = [as_tensor(item) for item in x]
    axis = _stack_axis(items, axis)
    shape = tuple(items[0].shape)
    lifted = (*shape[:axis], 1, *shape[axis:])
    return concatenate([reshape(item, lifted) for item in items], axis)


def _stack_axis(items: Sequence[Tensor], axis: Any) -> int:
    if not items:
        raise ArgumentError(
            "polykeras.ops.stack expected at least one tensor, got none."
        )
    first = tuple(items[0].shape)
    for item in items:
        if tuple(item.shape) != first:
            raise ShapeError(
                f"polykeras.ops.stack expected tensors of one shape, got {first} and "
                f"{tuple(item.shape)}."
            )
    return canonical_axis("stack", axis, len(first) + 1)


@stack.prepare
def _(x: list[Tensor], axis: Any = 0) -> tuple[Any, ...]:
    return x, _stack_axis(x, axis)


@stack.vjp("x")
def _(g: Tensor, out: Tensor, x: list[Tensor], axis: int) -> list[Tensor]:
    return unstack(g, len(x), axis)


@op(sequence="xs")
def hstack(xs: Sequence[Tensor]) -> Tensor:
    """Return tensors joined along axis 1, or axis 0 for vectors.

    Args:
        xs: Tensors whose other sizes agree; numbers count as vectors.

    Returns:
        A tensor of at least one axis.
    """
    items = [_lift(item, 1) for item in xs]
    return concatenate(items, 0 if items and len(items[0].shape) == 1 else 1)


@op(sequence="xs")
def vstack(xs: Sequence[Tensor]) -> Tensor:
    """Return tensors joined along axis 0; vectors count as rows.

    Args:
        xs: Tensors whose other sizes agree.

    Returns:
        A tensor of at least two axes.
    """
    return concatenate([_lift(item, 2) for item in xs], 0)


@op(sequence="xs")
def dstack(xs: Sequence[Tensor]) -> Tensor:
    """Return tensors joined along axis 2; matrices are layers, vectors rows of one.

    Args:
        xs: Tensors whose other sizes agree.

    Returns:
        A tensor of at least three axes.
    """
    return concatenate([_lift(item, 3) for item in xs], 2)


def _lift(x: Tensor, rank: int) -> Tensor:
    """Add axes as NumPy's ``atleast_1d`` to ``atleast_3d`` do."""
    x = as_tensor(x)
    shape = tuple(x.shape)
    if len(shape) >= rank:
        return x
    if rank == 3:
        shape = (*((1, *shape) if len(shape) == 1 else shape or (1, 1)), 1)
    else:
        shape = (1,) * (rank - len(shape)) + shape
    return reshape(x, shape)


@op(common="x1 x2")
def append(x1: Tensor, x2: Tensor, axis: int | None = None) -> Tensor:
    """Return `x2` joined behind `x1`.

    Args:
        x1: The first tensor.
        x2: The second.
        axis: Where to join; None joins the values of both along one axis.

    Returns:
        A tensor of the promoted dtype.

    >>> import polykeras as keras
    >>> keras.ops.append([[1, 2]], [[3, 4]]).shape
    (4,)
    """
    if axis is None:
        return concatenate([ravel(x1), ravel(x2)], 0)
    return concatenate([as_tensor(x1), as_tensor(x2)], axis)


# -- splitting -----------------------------------------------------------------


@op(tensor="x")
def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Return the slices of a tensor along an axis.

    Args:
        x: A tensor of rank N.
        num: Their number, if it is to be checked.
        axis: The axis to take apart.

    Returns:
        A list of tensors of rank N - 1.

    Raises:
        ShapeError: If `num` differs from the size of the axis.

    >>> import polykeras as keras
    >>> [part.shape for part in keras.ops.unstack(keras.ops.ones((2, 3)))]
    [(3,), (3,)]
    """
    x, num, axis = _unstacked(as_tensor(x), num, axis)
    item = REGISTRY["basic_index"]
    whole = tuple(builtins.slice(0, n, 1) for n in x.shape)
    return [item(x, (*whole[:axis], i, *whole[axis + 1 :])) for i in range(num)]


def _unstacked(x: Tensor, num: Any, axis: Any) -> tuple[Tensor, int, int]:
    axis = canonical_axis("unstack", axis, len(x.shape))
    n = int(x.shape[axis])
    if num is not None and num != n:
        raise ShapeError(
            f"polykeras.ops.unstack expected {num} slices along axis {axis}, but the "
            f"tensor has shape {tuple(x.shape)}."
        )
    return x, n, axis


@unstack.prepare
def _(x: Tensor, num: Any = None, axis: Any = 0) -> tuple[Any, ...]:
    return _unstacked(x, num, axis)


@unstack.vjp("x")
def _(g: Sequence[Tensor], out: Any, x: Tensor, num: int, axis: int) -> Tensor:
    return stack(list(g), axis) if num else REGISTRY["zeros_like"](x)


@op(tensor="x")
def split(
    x: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0
) -> list[Tensor]:
    """Return consecutive parts of a tensor along an axis.

    Args:
        x: A tensor of rank N.
        indices_or_sections: The number of equal parts, or the positions at which
            new parts begin.
        axis: The axis to cut.

    Returns:
        A list of tensors of rank N.

    Raises:
        ShapeError: If the size of the axis is no multiple of the number of parts.

    >>> import polykeras as keras
    >>> [part.shape for part in keras.ops.split(keras.ops.ones((4, 3)), [1])]
    [(1, 3), (3, 3)]
    """
    x, points, axis = _cut(as_tensor(x), indices_or_sections, axis)
    item = REGISTRY["basic_index"]
    lead = tuple(builtins.slice(0, n, 1) for n in x.shape[:axis])
    tail = tuple(builtins.slice(0, n, 1) for n in x.shape[axis + 1 :])
    bounds = (0, *points, int(x.shape[axis]))
    return [
        item(x, (*lead, builtins.slice(a, max(a, b), 1), *tail))
        for a, b in itertools.pairwise(bounds)
    ]


def _cut(x: Tensor, where: Any, axis: Any) -> tuple[Tensor, tuple[int, ...], int]:
    """Return `x`, the positions inside the axis, and the axis."""
    axis = canonical_axis("split", axis, len(x.shape))
    n = int(x.shape[axis])
    if isinstance(where, int | np.integer):
        parts = int(where)
        if parts < 1 or n % parts:
            raise ShapeError(
                f"polykeras.ops.split cannot cut axis {axis} of shape "
                f"{tuple(x.shape)} into {parts} equal parts. Use array_split for "
                "parts of different size, or give the positions."
            )
        return x, tuple(range(n // parts, n, n // parts))[: parts - 1], axis
    if not isinstance(where, list | tuple):
        where = _counts("split", where).tolist()
    points = (builtins.slice(operator.index(p), None).indices(n)[0] for p in where)
    return x, tuple(points), axis


@split.prepare
def _(x: Tensor, indices_or_sections: Any, axis: Any = 0) -> tuple[Any, ...]:
    return _cut(x, indices_or_sections, axis)


@split.vjp("x")
def _(
    g: Sequence[Tensor], out: Any, x: Tensor, points: tuple[int, ...], axis: int
) -> Tensor:
    if all(a <= b for a, b in itertools.pairwise(points)):
        return concatenate(list(g), axis)
    return _of_overlapping_parts(g, x, points, axis)


def _of_overlapping_parts(
    g: Sequence[Tensor], x: Tensor, points: tuple[int, ...], axis: int
) -> Tensor:
    """Sum the parts' gradients where positions go back, so that parts overlap."""
    total = REGISTRY["zeros_like"](x)
    for start, part in zip((0, *points), g, strict=True):
        size = part.shape[axis]
        pads = [(0, 0)] * len(x.shape)
        if size:
            pads[axis] = (start, x.shape[axis] - start - size)
            padded = REGISTRY["pad_constant"](part, tuple(pads), 0)
            total = REGISTRY["add"](total, padded)
    return total


def _counts(name: str, values: Any) -> np.ndarray[Any, Any]:
    known = known_values(values)
    if known is None:
        raise ArgumentError(
            f"polykeras.ops.{name} expected integers whose values are known, because "
            "the result's shape depends on them; got a tensor that is being traced."
        )
    return known


@op(tensor="x")
def array_split(
    x: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0
) -> list[Tensor]:
    """Return parts of a tensor along an axis, as equal in size as possible.

    Args:
        x: A tensor of rank N.
        indices_or_sections: The number of parts, or the positions at which new
            parts begin.
        axis: The axis to cut.

    Returns:
        A list of tensors; the first ones are larger by one where needed.

    >>> import polykeras as keras
    >>> [part.shape for part in keras.ops.array_split(keras.ops.ones(5), 2)]
    [(3,), (2,)]
    """
    x = as_tensor(x)
    if not isinstance(indices_or_sections, int):
        return split(x, indices_or_sections, axis)
    parts = indices_or_sections
    if parts < 1:
        raise ArgumentError(
            f"polykeras.ops.array_split expected at least one part, got {parts}."
        )
    n = int(x.shape[canonical_axis("array_split", axis, len(x.shape))])
    least, more = divmod(n, parts)
    points = [i * least + min(i, more) for i in range(1, parts)]
    return split(x, points, axis)


@op(tensor="x")
def hsplit(x: Tensor, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Return parts along axis 1, or along axis 0 of a vector.

    Args:
        x: A tensor of rank 1 or more.
        indices_or_sections: As for `split`.

    Returns:
        A list of tensors.
    """
    x = as_tensor(x)
    return split(x, indices_or_sections, 0 if len(x.shape) == 1 else 1)


@op(tensor="x")
def vsplit(x: Tensor, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Return parts along axis 0.

    Args:
        x: A tensor of rank 1 or more.
        indices_or_sections: As for `split`.

    Returns:
        A list of tensors.
    """
    return split(x, indices_or_sections, 0)


@op(tensor="x")
def dsplit(x: Tensor, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Return parts along axis 2.

    Args:
        x: A tensor of rank 3 or more.
        indices_or_sections: As for `split`.

    Returns:
        A list of tensors.
    """
    return split(x, indices_or_sections, 2)


# -- repeating -----------------------------------------------------------------


@op(tensor="x")
def tile(x: Tensor, repeats: int | Sequence[int]) -> Tensor:
    """Return the whole tensor repeated along its axes.

    Args:
        x: A tensor of any shape.
        repeats: How often along each axis; shorter ones count from the last axis,
            longer ones add leading axes.

    Returns:
        A tensor whose sizes are multiplied.

    >>> import polykeras as keras
    >>> keras.ops.tile([[1, 2]], (3, 2)).shape
    (3, 4)
    """
    x, counts = _tiled(as_tensor(x), repeats)
    shape = (1,) * (len(counts) - len(x.shape)) + tuple(x.shape)
    inserted = [n for size in shape for n in (1, size)]
    stretched = [n for pair in zip(counts, shape, strict=True) for n in pair]
    x = broadcast_to(reshape(x, inserted), stretched)
    return reshape(x, tuple(k * n for k, n in zip(counts, shape, strict=True)))


def _tiled(x: Tensor, repeats: Any) -> tuple[Tensor, tuple[int, ...]]:
    if not isinstance(repeats, int | list | tuple):
        repeats = _counts("tile", repeats).tolist()
    counts = as_shape(repeats)
    if any(n < 0 for n in counts):
        raise ArgumentError(f"polykeras.ops.tile expected repeats >= 0, got {counts}.")
    return x, (1,) * (len(x.shape) - len(counts)) + counts


@tile.prepare
def _(x: Tensor, repeats: Any) -> tuple[Any, ...]:
    return _tiled(x, repeats)


@op(tensor="x")
def repeat(
    x: Tensor, repeats: int | Sequence[int] | Tensor, axis: int | None = None
) -> Tensor:
    """Return the tensor with each value along an axis repeated.

    Args:
        x: A tensor of any shape.
        repeats: How often: one number, or one for each place along the axis, whose
            values must be known.
        axis: The axis; None takes all values along one axis.

    Returns:
        A tensor that is longer along `axis`.

    Raises:
        ArgumentError: If the counts are traced, negative, or of the wrong number.

    >>> import polykeras as keras
    >>> [int(v) for v in keras.ops.repeat([1, 2], [2, 1])]
    [1, 1, 2]
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = canonical_axis("repeat", axis, len(x.shape))
    counts = _counts("repeat", repeats).reshape(-1)
    shape = tuple(x.shape)
    if (counts < 0).any() or counts.size not in (1, shape[axis]):
        raise ArgumentError(
            f"polykeras.ops.repeat expected one count >= 0, or one for each of "
            f"{shape[axis]} places along axis {axis}; got {counts.tolist()}."
        )
    if counts.size == 1:
        k = int(counts[0])
        lifted = reshape(x, (*shape[: axis + 1], 1, *shape[axis + 1 :]))
        lifted = broadcast_to(lifted, (*shape[: axis + 1], k, *shape[axis + 1 :]))
        return reshape(lifted, (*shape[:axis], shape[axis] * k, *shape[axis + 1 :]))
    places = np.repeat(np.arange(shape[axis], dtype=np.int32), counts)
    return REGISTRY["take"](x, places, axis)


@op(tree="x")
def meshgrid(*x: Tensor, indexing: str = "xy") -> list[Tensor]:
    """Return coordinate tensors for a grid over vectors.

    Args:
        x: One vector of coordinates for each axis of the grid.
        indexing: ``"xy"`` for the first vector along axis 1 of the results and the
            second along axis 0; ``"ij"`` for the order given.

    Returns:
        A list with one tensor of the grid's shape for each vector.

    Raises:
        ArgumentError: If `indexing` is neither.

    >>> import polykeras as keras
    >>> [part.shape for part in keras.ops.meshgrid([1, 2, 3], [1, 2])]
    [(2, 3), (2, 3)]
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(
            f"polykeras.ops.meshgrid expected indexing 'xy' or 'ij', got {indexing!r}."
        )
    vectors = [ravel(as_tensor(item)) for item in x]
    order = list(range(len(vectors)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = [1, 0]
    grid = tuple(vectors[i].shape[0] for i in order)
    results = []
    for i, vector in enumerate(vectors):
        shape = [1] * len(order)
        shape[order.index(i)] = -1
        results.append(broadcast_to(reshape(vector, shape), grid))
    return results
