"""Reductions along axes: sums, products, extremes, counts, tests.

Every reduction takes one axis, several, or None for all. Sums and products of bool
and of integers below 32 bits are 32 bits wide; float16 and bfloat16 are summed in
float32 and rounded once.
"""

from __future__ import annotations

from typing import Any

from polykeras import dtypes, ops
from polykeras.backend import Tensor
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._reducing import kept, reduced_last, reject_complex, reject_empty
from polykeras.ops._shapes import canonical_axes, canonical_axis, reduced_shape
from polykeras.ops._values import as_tensor, dtype_of

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "max",
    "min",
    "prod",
    "ptp",
    "sum",
]

Axes = tuple[int, ...]


# -- sums and products -----------------------------------------------------------


@primitive(tensor="x")
def sum(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the sum over axes; the sum of nothing is 0.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor of the remaining shape; bool and small integers give 32 bits.

    Raises:
        ArgumentError: If an axis does not exist or is named twice.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sum([[1, 2], [3, 4]], axis=0)).tolist()
    [4, 6]
    """


@sum.prepare
def _(x: Tensor, axis: Any, keepdims: bool) -> tuple[Any, ...]:
    return x, canonical_axes("sum", axis, len(x.shape)), bool(keepdims)


@sum.abstract
def _(x: Spec, axis: Axes, keepdims: bool) -> Spec:
    return Spec(reduced_shape(x.shape, axis, keepdims), dtypes.sum_dtype(x.dtype))


@sum.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, axis: Axes, keepdims: bool) -> Tensor:
    return ops.broadcast_to(kept(g, x.shape, axis, keepdims), tuple(x.shape))


@primitive(tensor="x")
def prod(
    x: Tensor, axis: Any = None, keepdims: bool = False, dtype: str | None = None
) -> Tensor:
    """Return the product over axes; the product of nothing is 1.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.
        dtype: The dtype of the result; None keeps that of `x`, and gives 32 bits
            to bool and small integers.

    Returns:
        A tensor of the remaining shape. Its gradient is exact where `x` has zeros.

    Raises:
        ArgumentError: If an axis does not exist or is named twice.

    >>> import polykeras as keras
    >>> int(keras.ops.prod([[1, 2], [3, 4]]))
    24
    """


@prod.prepare
def _(x: Tensor, axis: Any, keepdims: bool, dtype: Any) -> tuple[Any, ...]:
    axes = canonical_axes("prod", axis, len(x.shape))
    name = dtypes.standardize_dtype(dtype) if dtype else dtypes.sum_dtype(dtype_of(x))
    return x, axes, bool(keepdims), name


@prod.abstract
def _(x: Spec, axis: Axes, keepdims: bool, dtype: str) -> Spec:
    return Spec(reduced_shape(x.shape, axis, keepdims), dtype)


@prod.vjp("x")
def _(
    g: Tensor, out: Tensor, x: Tensor, axis: Axes, keepdims: bool, dtype: str
) -> Tensor:
    # The product of all others, as (product of those before) times (of those
    # behind): no division, so zeros do no harm.
    shape = tuple(x.shape)
    flat = reduced_last(ops.cast(x, dtype), axis)
    before = _exclusive_product(flat)
    behind = ops.flip(_exclusive_product(ops.flip(flat, -1)), -1)
    rest = reduced_shape(shape, axis, False)
    g = ops.reshape(g, (*rest, 1))
    grad = ops.multiply(g, ops.multiply(before, behind))
    return ops.cast(_restored(grad, shape, axis), dtype_of(x))


def _exclusive_product(x: Tensor) -> Tensor:
    """Return the products of the values before each one along the last axis."""
    one = ops.ones_like(x[..., :1])
    return ops.concatenate([one, ops.cumprod(x, axis=-1)[..., :-1]], axis=-1)


def _restored(x: Tensor, shape: tuple[int, ...], axes: Axes) -> Tensor:
    """Undo `reduced_last`."""
    rest = tuple(i for i in range(len(shape)) if i not in axes)
    order = rest + axes
    x = ops.reshape(x, tuple(shape[i] for i in order))
    if order == tuple(range(len(shape))):
        return x
    return ops.transpose(x, tuple(order.index(i) for i in range(len(shape))))


# -- extremes --------------------------------------------------------------------


@primitive(tensor="x")
def max(
    x: Tensor, axis: Any = None, keepdims: bool = False, initial: Any = None
) -> Tensor:
    """Return the largest value along axes; NaN where any value is NaN.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.
        initial: A number that takes part in every comparison; the result where
            there is nothing else.

    Returns:
        A tensor of the remaining shape and the dtype of `x`. Values that tie share
        the gradient evenly.

    Raises:
        ShapeError: If there is no value to compare and no `initial`.
        ArgumentError: If an axis does not exist or is named twice.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.max([[1, 5], [3, 4]], axis=1)).tolist()
    [5, 4]
    """


@primitive(tensor="x")
def min(
    x: Tensor, axis: Any = None, keepdims: bool = False, initial: Any = None
) -> Tensor:
    """Return the smallest value along axes; NaN where any value is NaN.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.
        initial: A number that takes part in every comparison; the result where
            there is nothing else.

    Returns:
        A tensor of the remaining shape and the dtype of `x`. Values that tie share
        the gradient evenly.

    Raises:
        ShapeError: If there is no value to compare and no `initial`.
        ArgumentError: If an axis does not exist or is named twice.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.min([[1, 5], [3, 4]], axis=1)).tolist()
    [1, 3]
    """


def _prepare_extreme(
    name: str, x: Tensor, axis: Any, keepdims: bool, initial: Any
) -> tuple[Any, ...]:
    reject_complex(name, x)
    axes = canonical_axes(name, axis, len(x.shape))
    if initial is None:
        reject_empty(name, x.shape, axes)
    return x, axes, bool(keepdims), initial


@max.prepare
def _(x: Tensor, axis: Any, keepdims: bool, initial: Any) -> tuple[Any, ...]:
    return _prepare_extreme("max", x, axis, keepdims, initial)


@min.prepare
def _(x: Tensor, axis: Any, keepdims: bool, initial: Any) -> tuple[Any, ...]:
    return _prepare_extreme("min", x, axis, keepdims, initial)


@max.abstract
@min.abstract
def _(x: Spec, axis: Axes, keepdims: bool, initial: Any) -> Spec:
    return Spec(reduced_shape(x.shape, axis, keepdims), x.dtype)


@max.vjp("x")
@min.vjp("x")
def _(
    g: Tensor, out: Tensor, x: Tensor, axis: Axes, keepdims: bool, initial: Any
) -> Tensor:
    shape = tuple(x.shape)
    if 0 in shape:
        return ops.zeros_like(x)
    g, out = kept(g, shape, axis, keepdims), kept(out, shape, axis, keepdims)
    winners = ops.cast(ops.equal(x, out), dtype_of(x))
    ties = sum(winners, axis=axis, keepdims=True)
    if initial is None:
        return ops.multiply(winners, ops.divide(g, ties))
    # Against `initial` a tie is one of two: half the gradient stays here.
    level = ops.full_like(out, initial)
    share = ops.where(ops.equal(out, level), ops.multiply(g, 0.5), g)
    # Where `initial` alone won, there is no winner to divide by.
    return ops.multiply(winners, ops.divide(share, ops.maximum(ties, 1)))


@op(tensor="x")
def amax(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the largest value along axes; another name for `max`.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor of the remaining shape and the dtype of `x`.
    """
    return max(x, axis=axis, keepdims=keepdims)


@op(tensor="x")
def amin(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the smallest value along axes; another name for `min`.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor of the remaining shape and the dtype of `x`.
    """
    return min(x, axis=axis, keepdims=keepdims)


@op(tensor="x")
def ptp(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the distance between the largest and the smallest value along axes.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A tensor of the remaining shape and the dtype of `x`.

    Raises:
        ShapeError: If there is no value to compare.
    """
    x = as_tensor(x)
    return ops.subtract(max(x, axis, keepdims), min(x, axis, keepdims))


@primitive(tensor="x", differentiable=False)
def argmax(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the index of the largest value along an axis, the first among equals.

    Args:
        x: A tensor of any shape.
        axis: One axis; None searches the flattened tensor.
        keepdims: Whether the reduced axis stays, with size 1.

    Returns:
        An int32 tensor of the remaining shape. NaN counts as largest.

    Raises:
        ShapeError: If there is no value to compare.
        ArgumentError: If the axis does not exist.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.argmax([[1, 5], [4, 4]], axis=1)).tolist()
    [1, 0]
    """


@primitive(tensor="x", differentiable=False)
def argmin(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the index of the smallest value along an axis, the first among equals.

    Args:
        x: A tensor of any shape.
        axis: One axis; None searches the flattened tensor.
        keepdims: Whether the reduced axis stays, with size 1.

    Returns:
        An int32 tensor of the remaining shape. NaN counts as smallest.

    Raises:
        ShapeError: If there is no value to compare.
        ArgumentError: If the axis does not exist.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.argmin([[1, 5], [4, 4]], axis=1)).tolist()
    [0, 0]
    """


def _prepare_position(
    name: str, x: Tensor, axis: Any, keepdims: bool
) -> tuple[Any, ...]:
    reject_complex(name, x)
    rank = len(x.shape)
    if axis is not None:
        axis = canonical_axis(name, axis, rank)
    reject_empty(name, x.shape, tuple(range(rank)) if axis is None else (axis,))
    return x, axis, bool(keepdims)


@argmax.prepare
def _(x: Tensor, axis: Any, keepdims: bool) -> tuple[Any, ...]:
    return _prepare_position("argmax", x, axis, keepdims)


@argmin.prepare
def _(x: Tensor, axis: Any, keepdims: bool) -> tuple[Any, ...]:
    return _prepare_position("argmin", x, axis, keepdims)


@argmax.abstract
@argmin.abstract
def _(x: Spec, axis: int | None, keepdims: bool) -> Spec:
    axes = tuple(range(len(x.shape))) if axis is None else (axis,)
    return Spec(reduced_shape(x.shape, axes, keepdims), "int32")


# -- tests and counts ------------------------------------------------------------


@op(boolean="x", differentiable=False)
def any(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return whether any value along axes is not zero; False for no values.

    Args:
        x: A tensor of any shape; numbers are true unless zero.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A bool tensor of the remaining shape.

    >>> import polykeras as keras
    >>> bool(keras.ops.any([0, 2]))
    True
    """
    return max(ops.cast(as_tensor(x), "bool"), axis, keepdims, initial=False)


@any.prepare
def _(x: Tensor, axis: Any, keepdims: bool) -> tuple[Any, ...]:
    return x, canonical_axes("any", axis, len(x.shape)), bool(keepdims)


@op(boolean="x", differentiable=False)
def all(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return whether every value along axes is not zero; True for no values.

    Args:
        x: A tensor of any shape; numbers are true unless zero.
        axis: One axis, several, or None for all.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        A bool tensor of the remaining shape.

    >>> import polykeras as keras
    >>> bool(keras.ops.all([0, 2]))
    False
    """
    return min(ops.cast(as_tensor(x), "bool"), axis, keepdims, initial=True)


@all.prepare
def _(x: Tensor, axis: Any, keepdims: bool) -> tuple[Any, ...]:
    return x, canonical_axes("all", axis, len(x.shape)), bool(keepdims)


@op(tensor="x", differentiable=False)
def count_nonzero(x: Tensor, axis: Any = None) -> Tensor:
    """Return how many values along axes are not zero.

    Args:
        x: A tensor of any shape.
        axis: One axis, several, or None for all.

    Returns:
        An int32 tensor of the remaining shape.

    >>> import polykeras as keras
    >>> int(keras.ops.count_nonzero([[0, 7], [3, 0]]))
    2
    """
    return sum(ops.cast(as_tensor(x), "bool"), axis=axis)
