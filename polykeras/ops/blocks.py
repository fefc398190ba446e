"""Blocks of a tensor whose start may be a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import primitive
from polykeras.ops._registry import REGISTRY
from polykeras.ops._shapes import as_shape
from polykeras.ops._values import as_tensor, dtype_of
from polykeras.ops.joining import unstack

__all__ = ["slice", "slice_update"]


@primitive(tensor="inputs", tree="start_indices")
def slice(
    inputs: Tensor, start_indices: Sequence[int] | Tensor, shape: Sequence[int]
) -> Tensor:
    """Return a block of a tensor; unlike in a key, its start may be a tensor.

    Args:
        inputs: A tensor of rank N.
        start_indices: N ints or integer tensors; negative ones count from the end.
        shape: The block's sizes; -1 means up to the end where the start is an int.

    Returns:
        A tensor of shape `shape`.

    Raises:
        ArgumentError: If the block does not fit. A start given as a tensor is moved
            so that the block fits.

    >>> import polykeras as keras
    >>> x = keras.ops.reshape(keras.ops.arange(12), (3, 4))
    >>> keras.ops.slice(x, (1, 2), (2, 2)).shape
    (2, 2)
    """


def _block(
    name: str, x: Tensor, start_indices: Any, shape: Any
) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """Return the start as ints and 0-d tensors, and the sizes."""
    sizes, wanted = tuple(x.shape), as_shape(shape)
    starts = list(_starts(start_indices))
    if not len(starts) == len(wanted) == len(sizes):
        raise ArgumentError(
            f"polykeras.ops.{name} expected one start and one size for each of "
            f"{len(sizes)} axes, got {len(starts)} and {len(wanted)}."
        )
    block = list(wanted)
    for i, (n, start) in enumerate(zip(sizes, starts, strict=True)):
        fits = 0 <= block[i] <= n
        if isinstance(start, int | np.integer):
            first = int(start) + n if start < 0 else int(start)
            if block[i] == -1:
                block[i] = n - first
            starts[i] = first
            fits = first >= 0 and 0 <= block[i] <= n - first
        if not fits:
            raise ArgumentError(
                f"polykeras.ops.{name} cannot place a block of shape {wanted} at "
                f"{start_indices} in a tensor of shape {sizes}: axis {i} is too short."
            )
    return tuple(starts), tuple(block)


def _starts(start_indices: Any) -> Sequence[Any]:
    if isinstance(start_indices, list | tuple):
        return start_indices
    if isinstance(start_indices, int | np.integer):
        return (start_indices,)
    start = as_tensor(start_indices)
    return unstack(start) if len(start.shape) else (start,)


@slice.prepare
def _(inputs: Tensor, start_indices: Any, shape: Any) -> tuple[Any, ...]:
    return inputs, *_block("slice", inputs, start_indices, shape)


@slice.abstract
def _(inputs: Spec, start_indices: tuple[Any, ...], shape: tuple[int, ...]) -> Spec:
    return Spec(shape, inputs.dtype)


@slice.vjp("inputs")
def _(g: Tensor, out: Tensor, inputs: Tensor, start_indices: Any, shape: Any) -> Tensor:
    return slice_update(REGISTRY["zeros_like"](inputs), start_indices, g)


@primitive(tensor="inputs updates", tree="start_indices")
def slice_update(
    inputs: Tensor, start_indices: Sequence[int] | Tensor, updates: Tensor
) -> Tensor:
    """Return the tensor with one block replaced.

    Args:
        inputs: A tensor of rank N.
        start_indices: N ints or integer tensors; negative ones count from the end.
        updates: The block, of rank N; cast to the dtype of `inputs`.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        ArgumentError: If the block does not fit. A start given as a tensor is moved
            so that the block fits.

    >>> import polykeras as keras
    >>> [int(v) for v in keras.ops.slice_update([1, 2, 3], [1], [9])]
    [1, 9, 3]
    """


@slice_update.prepare
def _(inputs: Tensor, start_indices: Any, updates: Tensor) -> tuple[Any, ...]:
    start, _block_shape = _block(
        "slice_update", inputs, start_indices, tuple(updates.shape)
    )
    return inputs, start, same_dtype(updates, inputs)


def same_dtype(x: Tensor, like: Tensor) -> Tensor:
    """Return `x` cast to the dtype of `like`."""
    dtype = dtype_of(like)
    return x if dtype_of(x) == dtype else REGISTRY["cast"](x, dtype)


@slice_update.abstract
def _(inputs: Spec, start_indices: tuple[Any, ...], updates: Spec) -> Spec:
    return inputs


@slice_update.vjp("inputs")
def _(g: Tensor, out: Tensor, inputs: Tensor, start: Any, updates: Tensor) -> Tensor:
    return slice_update(g, start, REGISTRY["zeros_like"](updates))


@slice_update.vjp("updates")
def _(g: Tensor, out: Tensor, inputs: Tensor, start: Any, updates: Tensor) -> Tensor:
    return slice(g, start, tuple(updates.shape))
