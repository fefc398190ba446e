"""Writing values at computed places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError, nearest
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._registry import REGISTRY
from polykeras.ops._shapes import as_shape
from polykeras.ops._values import as_tensor, dtype_of
from polykeras.ops.blocks import same_dtype
from polykeras.ops.indexing import take, wrap_negative
from polykeras.ops.joining import unstack
from polykeras.ops.shaping import reshape

__all__ = ["scatter", "scatter_update", "unravel_index"]

_REDUCTIONS = ("add", "max", "min", "mul")


@primitive(tensor="inputs updates", integer="indices")
def scatter_update(
    inputs: Tensor, indices: Tensor, updates: Tensor, reduction: str | None = None
) -> Tensor:
    """Return the tensor with values replaced, or combined, at computed places.

    Args:
        inputs: A tensor of rank N.
        indices: Integers of shape ``(..., K)``, K <= N: each row is a place in the
            first K axes; negative ones count from the end.
        updates: One value or slice for each place: shape
            ``indices.shape[:-1] + inputs.shape[K:]``; cast to the dtype of `inputs`.
        reduction: None replaces; ``"add"``, ``"mul"``, ``"max"`` or ``"min"``
            combines with what is there. With None, which one of several updates for
            one place wins is not specified; the others combine them all.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        ShapeError: If the shapes do not fit.
        ArgumentError: If an index is out of range and its value is known; inside a
            compiled function such an update is ignored.

    >>> import polykeras as keras
    >>> x = keras.ops.zeros(3)
    >>> out = keras.ops.scatter_update(x, [[0], [2], [0]], [1.0, 2.0, 3.0], "add")
    >>> [float(v) for v in out]
    [4.0, 0.0, 2.0]
    """


@scatter_update.prepare
def _(
    inputs: Tensor, indices: Tensor, updates: Tensor, reduction: Any = None
) -> tuple[Any, ...]:
    if reduction is not None and reduction not in _REDUCTIONS:
        raise ArgumentError(
            f"polykeras.ops.scatter_update got the reduction {reduction!r}. "
            f"{nearest(reduction, _REDUCTIONS)}"
        )
    shape, places = tuple(inputs.shape), tuple(indices.shape)
    depth = places[-1] if places else -1
    if not 1 <= depth <= len(shape):
        raise ShapeError(
            f"polykeras.ops.scatter_update expected indices of shape (..., K) with K "
            f"from 1 to {len(shape)} for inputs of shape {shape}, got {places}."
        )
    wanted = places[:-1] + shape[depth:]
    if tuple(updates.shape) != wanted:
        if math.prod(updates.shape) != 1:
            raise ShapeError(
                f"polykeras.ops.scatter_update expected updates of shape {wanted} for "
                f"indices of shape {places} and inputs of shape {shape}, got "
                f"{tuple(updates.shape)}."
            )
        one = reshape(updates, (1,) * len(wanted))
        updates = REGISTRY["broadcast_to"](one, wanted)
    return inputs, indices, same_dtype(updates, inputs), reduction


@scatter_update.abstract
def _(inputs: Spec, indices: Spec, updates: Spec, reduction: str | None) -> Spec:
    return inputs


def gather(x: Tensor, indices: Tensor) -> Tensor:
    """Return what `scatter_update` would overwrite at `indices`."""
    depth = int(indices.shape[-1])
    sizes = tuple(int(n) for n in x.shape[:depth])
    place: Any = None
    for part, n in zip(unstack(indices, axis=-1), sizes, strict=True):
        inner = wrap_negative(part, n)
        if place is None:
            place = inner
        else:
            place = REGISTRY["add"](REGISTRY["multiply"](place, n), inner)
    return take(reshape(x, (math.prod(sizes), *x.shape[depth:])), place, 0)


def _share(
    g: Tensor, out: Tensor, inputs: Tensor, indices: Tensor, updates: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return each winner's share of the gradient, and the masks of the winners."""
    dtype = dtype_of(g)
    cast, equal = REGISTRY["cast"], REGISTRY["equal"]
    kept = cast(equal(inputs, out), dtype)
    won = cast(equal(updates, gather(out, indices)), dtype)
    winners = scatter_update(kept, indices, won, "add")
    # Where a NaN won nobody equals it; the gradient there is zero, not 0/0.
    share = REGISTRY["divide"](g, REGISTRY["maximum"](winners, 1))
    return share, kept, won


@scatter_update.vjp("inputs")
def _(
    g: Tensor, out: Tensor, inputs: Tensor, indices: Tensor, updates: Tensor, how: Any
) -> Tensor:
    if how == "add":
        return g
    if how is None:
        return scatter_update(g, indices, REGISTRY["zeros_like"](updates))
    if how == "mul":
        return scatter_update(g, indices, updates, "mul")
    share, kept, _won = _share(g, out, inputs, indices, updates)
    return REGISTRY["multiply"](share, kept)


@scatter_update.vjp("updates")
def _(
    g: Tensor, out: Tensor, inputs: Tensor, indices: Tensor, updates: Tensor, how: Any
) -> Tensor:
    if how in (None, "add"):
        return gather(g, indices)
    if how != "mul":
        share, _kept, won = _share(g, out, inputs, indices, updates)
        return REGISTRY["multiply"](gather(share, indices), won)
    return _of_factor(g, inputs, indices, updates)


def _of_factor(g: Tensor, inputs: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """Multiply by the product of all other factors, also where factors are zero.

    The derivative of this is not exact where two factors of one place are zero.
    """
    multiply, where, cast = REGISTRY["multiply"], REGISTRY["where"], REGISTRY["cast"]
    is_zero = REGISTRY["equal"](updates, 0)
    ones, zeros = REGISTRY["ones_like"], REGISTRY["zeros_like"]
    nonzero = where(is_zero, ones(updates), updates)
    product = gather(scatter_update(ones(inputs), indices, nonzero, "mul"), indices)
    count = scatter_update(
        zeros(inputs), indices, cast(is_zero, dtype_of(inputs)), "add"
    )
    other_zeros = REGISTRY["subtract"](
        gather(count, indices), cast(is_zero, dtype_of(inputs))
    )
    others = where(
        REGISTRY["equal"](other_zeros, 0),
        REGISTRY["divide"](product, nonzero),
        zeros(product),
    )
    return multiply(gather(multiply(g, inputs), indices), others)


@op(tensor="values", integer="indices")
def scatter(indices: Tensor, values: Tensor, shape: Sequence[int]) -> Tensor:
    """Return zeros with values added at computed places.

    Args:
        indices: Integers of shape ``(..., K)``, each row a place.
        values: One value or slice for each place; values for one place are added.
        shape: The shape of the result.

    Returns:
        A tensor of shape `shape` and the dtype of `values`.

    >>> import polykeras as keras
    >>> out = keras.ops.scatter([[0], [2]], [1.0, 2.0], (4,))
    >>> [float(v) for v in out]
    [1.0, 0.0, 2.0, 0.0]
    """
    values = as_tensor(values)
    zeros = REGISTRY["full"](as_shape(shape), 0, dtype_of(values))
    return scatter_update(zeros, indices, values, "add")


@op(integer="indices", differentiable=False)
def unravel_index(indices: Tensor, shape: Sequence[int]) -> tuple[Tensor, ...]:
    """Return the coordinates of row-major positions.

    Args:
        indices: Integers of any shape; negative ones count from the end.
        shape: The sizes of the axes.

    Returns:
        A tuple with one tensor of the shape of `indices` for each axis.

    >>> import polykeras as keras
    >>> [int(v) for v in keras.ops.unravel_index(5, (2, 3))]
    [1, 2]
    """
    sizes = as_shape(shape)
    rest = wrap_negative(as_tensor(indices), math.prod(sizes))
    parts = []
    for n in reversed(sizes):
        parts.append(REGISTRY["mod"](rest, n))
        rest = REGISTRY["floor_divide"](rest, n)
    return tuple(reversed(parts))
