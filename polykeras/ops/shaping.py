"""Shapes: reshaping, transposing, broadcasting, and joining."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._registry import REGISTRY
from polykeras.ops._shapes import as_shape, canonical_axes, canonical_axis
from polykeras.ops._values import as_tensor

__all__ = [
    "broadcast_to",
    "concatenate",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "moveaxis",
    "ravel",
    "reshape",
    "squeeze",
    "swapaxes",
    "transpose",
]


# -- reshape -------------------------------------------------------------------


@primitive(tensor="x")
def reshape(x: Tensor, newshape: int | Sequence[int]) -> Tensor:
    """Return the same values in another shape, in row-major order.

    Args:
        x: A tensor of any shape.
        newshape: The sizes; one of them may be -1, which stands for what is left.

    Returns:
        A tensor of shape `newshape` and the dtype of `x`.

    Raises:
        ShapeError: If the shapes hold different numbers of values.

    >>> import polykeras as keras
    >>> keras.ops.reshape(keras.ops.arange(6), (2, -1)).shape
    (2, 3)
    """


def resolve_shape(shape: tuple[int, ...], newshape: Any) -> tuple[int, ...]:
    """Return `newshape` with -1 replaced by the size that is left."""
    wanted = as_shape(newshape)
    total = math.prod(shape)
    if wanted.count(-1) > 1 or any(n < -1 for n in wanted):
        raise ShapeError(
            f"polykeras.ops.reshape expected sizes >= 0 and at most one -1, got "
            f"{wanted} for a tensor of shape {shape}."
        )
    if -1 in wanted:
        rest = -math.prod(wanted)
        if rest > 0 and total % rest == 0:
            return tuple(total // rest if n == -1 else n for n in wanted)
    elif math.prod(wanted) == total:
        return wanted
    raise ShapeError(
        f"polykeras.ops.reshape cannot give {total} values of shape {shape} the shape "
        f"{wanted}. The products of the sizes must be equal."
    )


@reshape.prepare
def _(x: Tensor, newshape: Any) -> tuple[Any, ...]:
    return x, resolve_shape(tuple(x.shape), newshape)


@reshape.abstract
def _(x: Spec, newshape: tuple[int, ...]) -> Spec:
    return Spec(newshape, x.dtype)


@reshape.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, newshape: tuple[int, ...]) -> Tensor:
    return reshape(g, tuple(x.shape))


@op(tensor="x")
def ravel(x: Tensor) -> Tensor:
    """Return all values along one axis, in row-major order.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor with one axis.

    >>> import polykeras as keras
    >>> keras.ops.ravel([[1, 2], [3, 4]]).shape
    (4,)
    """
    x = as_tensor(x)
    return reshape(x, (math.prod(x.shape),))


@op(tensor="x")
def expand_dims(x: Tensor, axis: int | Sequence[int]) -> Tensor:
    """Return the tensor with axes of size 1 inserted.

    Args:
        x: A tensor of rank N.
        axis: Where the new axes stand in the result; one or several.

    Returns:
        A tensor of rank N plus the number of axes inserted.

    Raises:
        ArgumentError: If an axis is out of range or repeated.

    >>> import polykeras as keras
    >>> keras.ops.expand_dims([1, 2, 3], -1).shape
    (3, 1)
    """
    x = as_tensor(x)
    sizes = iter(x.shape)
    axes = _inserted(x, axis)
    rank = len(x.shape) + len(axes)
    return reshape(x, tuple(1 if i in axes else next(sizes) for i in range(rank)))


def _inserted(x: Tensor, axis: Any) -> tuple[int, ...]:
    given = tuple(axis) if isinstance(axis, list | tuple) else (axis,)
    return canonical_axes("expand_dims", given, len(x.shape) + len(given))


@expand_dims.prepare
def _(x: Tensor, axis: Any) -> tuple[Any, ...]:
    return x, _inserted(x, axis)


@op(tensor="x")
def squeeze(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """Return the tensor without axes of size 1.

    Args:
        x: A tensor of any shape.
        axis: The axes to drop; None drops all of size 1.

    Returns:
        A tensor with fewer axes.

    Raises:
        ShapeError: If a named axis has another size.

    >>> import polykeras as keras
    >>> keras.ops.squeeze([[[1], [2]]]).shape
    (2,)
    """
    x = as_tensor(x)
    axes = _dropped(x, axis)
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def _dropped(x: Tensor, axis: Any) -> tuple[int, ...]:
    shape = tuple(x.shape)
    if axis is None:
        return tuple(i for i, n in enumerate(shape) if n == 1)
    axes = canonical_axes("squeeze", axis, len(shape))
    for i in axes:
        if shape[i] != 1:
            raise ShapeError(
                f"polykeras.ops.squeeze cannot drop axis {i} of shape {shape}: its "
                f"size is {shape[i]}. Only axes of size 1 can be dropped."
            )
    return axes


@squeeze.prepare
def _(x: Tensor, axis: Any = None) -> tuple[Any, ...]:
    return x, _dropped(x, axis)


# -- order of axes and values ------------------------------------------------------


@primitive(tensor="x")
def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """Return the tensor with its axes in another order.

    Args:
        x: A tensor of rank N.
        axes: A permutation of the axes; None reverses them.

    Returns:
        A tensor whose axis i is axis ``axes[i]`` of `x`.

    Raises:
        ArgumentError: If `axes` is no permutation.

    >>> import polykeras as keras
    >>> keras.ops.transpose(keras.ops.ones((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """


@transpose.prepare
def _(x: Tensor, axes: Any = None) -> tuple[Any, ...]:
    rank = len(x.shape)
    if axes is None:
        return x, tuple(range(rank - 1, -1, -1))
    order = tuple(canonical_axis("transpose", a, rank) for a in axes)
    if len(set(order)) != rank or len(order) != rank:
        raise ArgumentError(
            f"polykeras.ops.transpose expected a permutation of {rank} axes, got "
            f"{tuple(axes)} for a tensor of shape {tuple(x.shape)}."
        )
    return x, order


@transpose.abstract
def _(x: Spec, axes: tuple[int, ...]) -> Spec:
    return Spec(tuple(x.shape[i] for i in axes), x.dtype)


@transpose.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    inverse = [0] * len(axes)
    for place, axis in enumerate(axes):
        inverse[axis] = place
    return transpose(g, tuple(inverse))


@op(tensor="x")
def moveaxis(
    x: Tensor, source: int | Sequence[int], destination: int | Sequence[int]
) -> Tensor:
    """Return the tensor with some axes at new places, the others in order.

    Args:
        x: A tensor of rank N.
        source: The axes to move.
        destination: Where each of them stands in the result.

    Returns:
        A tensor of rank N.

    Raises:
        ArgumentError: If the two differ in number, or an axis is named twice.

    >>> import polykeras as keras
    >>> keras.ops.moveaxis(keras.ops.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = as_tensor(x)
    rank = len(x.shape)
    moved = tuple(canonical_axis("moveaxis", a, rank) for a in _listed(source))
    places = tuple(canonical_axis("moveaxis", a, rank) for a in _listed(destination))
    if not len(set(moved)) == len(moved) == len(places) == len(set(places)):
        raise ArgumentError(
            f"polykeras.ops.moveaxis expected as many different sources as "
            f"destinations, got {source} and {destination}."
        )
    order = [i for i in range(rank) if i not in moved]
    for place, axis in sorted(zip(places, moved, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


def _listed(axis: Any) -> Sequence[Any]:
    return axis if isinstance(axis, list | tuple) else (axis,)


@op(tensor="x")
def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    """Return the tensor with two axes exchanged.

    Args:
        x: A tensor of rank N.
        axis1: One axis.
        axis2: The other.

    Returns:
        A tensor of rank N.

    >>> import polykeras as keras
    >>> keras.ops.swapaxes(keras.ops.ones((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    x = as_tensor(x)
    order = list(range(len(x.shape)))
    i = canonical_axis("swapaxes", axis1, len(order))
    j = canonical_axis("swapaxes", axis2, len(order))
    order[i], order[j] = order[j], order[i]
    return transpose(x, order)


@primitive(tensor="x")
def flip(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """Return the tensor with the order of the values along axes reversed.

    Args:
        x: A tensor of any shape.
        axis: The axes; None means all.

    Returns:
        A tensor of the shape of `x`.

    >>> import polykeras as keras
    >>> [int(v) for v in keras.ops.flip([1, 2, 3])]
    [3, 2, 1]
    """


@flip.prepare
def _(x: Tensor, axis: Any = None) -> tuple[Any, ...]:
    return x, canonical_axes("flip", axis, len(x.shape))


@flip.abstract
def _(x: Spec, axis: tuple[int, ...]) -> Spec:
    return x


@flip.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, axis: tuple[int, ...]) -> Tensor:
    return flip(g, axis)


@op(tensor="x")
def fliplr(x: Tensor) -> Tensor:
    """Return the tensor with axis 1 reversed.

    Args:
        x: A tensor of rank 2 or more.

    Returns:
        A tensor of the shape of `x`.
    """
    return flip(x, 1)


@op(tensor="x")
def flipud(x: Tensor) -> Tensor:
    """Return the tensor with axis 0 reversed.

    Args:
        x: A tensor of rank 1 or more.

    Returns:
        A tensor of the shape of `x`.
    """
    return flip(x, 0)


# -- broadcasting and joining ------------------------------------------------


@primitive(tensor="x")
def broadcast_to(x: Tensor, shape: int | Sequence[int]) -> Tensor:
    """Return the tensor repeated along axes of size 1, and along new leading ones.

    Args:
        x: A tensor whose shape broadcasts to `shape`.
        shape: The sizes wanted.

    Returns:
        A tensor of shape `shape`, which may share memory with `x`.

    Raises:
        ShapeError: If an axis has neither the wanted size nor size 1.

    >>> import polykeras as keras
    >>> keras.ops.broadcast_to([1, 2], (3, 2)).shape
    (3, 2)
    """


@broadcast_to.prepare
def _(x: Tensor, shape: Any) -> tuple[Any, ...]:
    have, wanted = tuple(x.shape), as_shape(shape)
    lead = len(wanted) - len(have)
    fits = lead >= 0 and all(
        n in (1, m) for n, m in zip(have, wanted[lead:], strict=True)
    )
    if not fits:
        raise ShapeError(
            f"polykeras.ops.broadcast_to cannot broadcast shape {have} to {wanted}. "
            "Counted from the last, sizes must be equal or 1."
        )
    return x, wanted


@broadcast_to.abstract
def _(x: Spec, shape: tuple[int, ...]) -> Spec:
    return Spec(shape, x.dtype)


@broadcast_to.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    have = tuple(x.shape)
    lead = len(shape) - len(have)
    stretched = tuple(i for i, n in enumerate(have, lead) if n != shape[i])
    axes = tuple(range(lead)) + stretched
    return reshape(REGISTRY["sum"](g, axis=axes), have) if axes else g


@primitive(sequence="xs")
def concatenate(xs: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Return tensors joined along an axis.

    Args:
        xs: Tensors whose shapes agree in all other axes; their dtypes are promoted.
        axis: The axis to join along.

    Returns:
        A tensor whose size along `axis` is the sum of theirs.

    Raises:
        ShapeError: If the shapes do not agree.

    >>> import polykeras as keras
    >>> keras.ops.concatenate([[[1, 2]], [[3, 4]]], axis=1).shape
    (1, 4)
    """


@concatenate.prepare
def _(xs: list[Tensor], axis: Any = 0) -> tuple[Any, ...]:
    shapes = [tuple(x.shape) for x in xs]
    if not shapes:
        raise ArgumentError(
            "polykeras.ops.concatenate expected at least one tensor, got none."
        )
    axis = canonical_axis("concatenate", axis, len(shapes[0]))
    first = shapes[0]
    for shape in shapes:
        if shape[:axis] + shape[axis + 1 :] != first[:axis] + first[axis + 1 :] or len(
            shape
        ) != len(first):
            raise ShapeError(
                f"polykeras.ops.concatenate cannot join shapes {first} and {shape} "
                f"along axis {axis}. All other sizes must be equal."
            )
    return xs, axis


@concatenate.abstract
def _(xs: list[Spec], axis: int) -> Spec:
    shape = list(xs[0].shape)
    shape[axis] = sum(x.shape[axis] for x in xs)
    return Spec(tuple(shape), xs[0].dtype)


@concatenate.vjp("xs")
def _(g: Tensor, out: Tensor, xs: list[Tensor], axis: int) -> list[Tensor]:
    points, end = [], 0
    for x in xs[:-1]:
        end += x.shape[axis]
        points.append(end)
    parts: list[Tensor] = REGISTRY["split"](g, tuple(points), axis)
    return parts
