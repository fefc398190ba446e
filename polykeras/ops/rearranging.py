"""Rolling, rotating, diagonals, and blocks of space and channels."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError, nearest
from polykeras.ops._declare import op
from polykeras.ops._registry import REGISTRY
from polykeras.ops._shapes import canonical_axes, canonical_axis
from polykeras.ops._values import as_tensor, dtype_of, known_values
from polykeras.ops.joining import stack
from polykeras.ops.padding import pad_constant
from polykeras.ops.shaping import (
    concatenate,
    flip,
    moveaxis,
    ravel,
    reshape,
    swapaxes,
    transpose,
)

__all__ = [
    "depth_to_space",
    "diag",
    "diagflat",
    "diagonal",
    "roll",
    "rot90",
    "space_to_depth",
    "vander",
]


@op(tensor="x")
def roll(
    x: Tensor, shift: int | Sequence[int], axis: int | Sequence[int] | None = None
) -> Tensor:
    """Return the tensor shifted along axes; what leaves one end enters the other.

    Args:
        x: A tensor of any shape.
        shift: How far, toward higher indices; one number, or one for each axis.
        axis: The axes; None shifts through all values in row-major order.

    Returns:
        A tensor of the shape of `x`.

    >>> import polykeras as keras
    >>> [int(v) for v in keras.ops.roll([1, 2, 3], 1)]
    [3, 1, 2]
    """
    x, shifts, axes = _rolled(as_tensor(x), shift, axis)
    if not axes:
        flat = roll(ravel(x), shifts, (0,))
        return reshape(flat, tuple(x.shape))
    for place, by in zip(axes, shifts, strict=True):
        n = int(x.shape[place])
        if n and by % n:
            lead = (builtins.slice(None),) * place
            cut = n - by % n
            item = REGISTRY["get_item"]
            tail = item(x, (*lead, builtins.slice(cut, None)))
            x = concatenate([tail, item(x, (*lead, builtins.slice(0, cut)))], place)
    return x


def _rolled(
    x: Tensor, shift: Any, axis: Any
) -> tuple[Tensor, tuple[int, ...], tuple[int, ...]]:
    """Return one shift an axis; no axes mean that the values are one sequence."""
    known = known_values(shift)
    if known is None:
        raise ArgumentError(
            "polykeras.ops.roll expected a shift whose value is known, got a tensor "
            "that is being traced. Use ops.take with computed indices instead."
        )
    shifts = tuple(operator.index(n) for n in np.asarray(known).reshape(-1).tolist())
    if axis is None or axis == ():
        return x, (sum(shifts),), ()
    given = axis if isinstance(axis, list | tuple) else (axis,)
    axes = tuple(canonical_axis("roll", a, len(x.shape)) for a in given)
    if len(shifts) == 1:
        shifts *= len(axes)
    if len(axes) == 1:
        axes *= len(shifts)
    if len(shifts) != len(axes):
        raise ArgumentError(
            f"polykeras.ops.roll expected as many shifts as axes, got {shift} and "
            f"{axis}."
        )
    return x, shifts, axes


@roll.prepare
def _(x: Tensor, shift: Any, axis: Any = None) -> tuple[Any, ...]:
    return _rolled(x, shift, axis)


@roll.vjp("x")
def _(
    g: Tensor, out: Tensor, x: Tensor, shift: tuple[int, ...], axis: tuple[int, ...]
) -> Tensor:
    return roll(g, tuple(-n for n in shift), axis or None)


@op(tensor="array")
def rot90(array: Tensor, k: int = 1, axes: Sequence[int] = (0, 1)) -> Tensor:
    """Return the tensor turned by right angles in the plane of two axes.

    Args:
        array: A tensor of rank 2 or more.
        k: How often to turn, from the first axis toward the second.
        axes: The plane.

    Returns:
        A tensor whose two sizes are exchanged if `k` is odd.

    Raises:
        ArgumentError: If `axes` are not two different axes.
    """
    array = as_tensor(array)
    if len(axes) != 2:
        raise ArgumentError(f"polykeras.ops.rot90 expected two axes, got {axes}.")
    canonical_axes("rot90", tuple(axes), len(array.shape))
    first, second = (canonical_axis("rot90", a, len(array.shape)) for a in axes)
    k %= 4
    if k == 0:
        return array
    if k == 2:
        return flip(array, (first, second))
    if k == 1:
        return swapaxes(flip(array, second), first, second)
    return flip(swapaxes(array, first, second), second)


# -- diagonals -----------------------------------------------------------------


@op(tensor="x")
def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the diagonals of the matrices that two axes span.

    Args:
        x: A tensor of rank N >= 2.
        offset: How far right of the main diagonal; negative is below.
        axis1: The rows' axis.
        axis2: The columns' axis.

    Returns:
        A tensor of rank N - 1; the diagonal is its last axis.

    >>> import polykeras as keras
    >>> [int(v) for v in keras.ops.diagonal([[1, 2], [3, 4]])]
    [1, 4]
    """
    x, offset, axis1, axis2 = _diagonal(as_tensor(x), offset, axis1, axis2)
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    *lead, rows, columns = x.shape
    start = offset if offset >= 0 else -offset * columns
    count = max(
        0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns)
    )
    flat = reshape(x, (*lead, rows * columns))
    step = columns + 1
    stop = start + (count - 1) * step + 1 if count else start
    places = builtins.slice(start, stop, step) if count else builtins.slice(0, 0)
    return REGISTRY["get_item"](flat, (..., places))


def _diagonal(x: Tensor, offset: Any, axis1: Any, axis2: Any) -> tuple[Any, ...]:
    rank = len(x.shape)
    if rank < 2:
        raise ShapeError(
            f"polykeras.ops.diagonal expected at least two axes, got shape "
            f"{tuple(x.shape)}."
        )
    canonical_axes("diagonal", (axis1, axis2), rank)
    return (
        x,
        operator.index(offset),
        canonical_axis("diagonal", axis1, rank),
        canonical_axis("diagonal", axis2, rank),
    )


@diagonal.prepare
def _(x: Tensor, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> tuple[Any, ...]:
    return _diagonal(x, offset, axis1, axis2)


@op(tensor="x")
def diag(x: Tensor, k: int = 0) -> Tensor:
    """Return a matrix with a vector on a diagonal, or a matrix's diagonal.

    Args:
        x: A vector of size N, or a matrix.
        k: Which diagonal; positive is above the main one.

    Returns:
        A square matrix of size ``N + |k|``, or a vector.

    Raises:
        ShapeError: If `x` has neither one nor two axes.

    >>> import polykeras as keras
    >>> keras.ops.diag([1, 2, 3], k=1).shape
    (4, 4)
    """
    x = as_tensor(x)
    if len(x.shape) == 2:
        return diagonal(x, k)
    if len(x.shape) != 1:
        raise ShapeError(
            f"polykeras.ops.diag expected a vector or a matrix, got shape "
            f"{tuple(x.shape)}."
        )
    n = int(x.shape[0])
    size = n + abs(k)
    # Row i of the padded block begins one place further right in each row of the
    # matrix, because it is one value longer.
    rows = reshape(
        pad_constant(reshape(x, (n, 1)), ((0, 0), (0, size))), (-1,) if n else (0,)
    )
    before = k if k >= 0 else -k * size
    after = max(0, size * size - before - n * (size + 1))
    flat = pad_constant(rows, ((before, after),))
    flat = REGISTRY["get_item"](flat, builtins.slice(0, size * size))
    return reshape(flat, (size, size))


@op(tensor="x")
def diagflat(x: Tensor, k: int = 0) -> Tensor:
    """Return a matrix with all values of a tensor on a diagonal.

    Args:
        x: A tensor of any shape, with N values.
        k: Which diagonal; positive is above the main one.

    Returns:
        A square matrix of size ``N + |k|``.
    """
    return diag(ravel(x), k)


@op(tensor="x")
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Return the matrix of powers of a vector's values (Vandermonde matrix).

    Args:
        x: A vector of size M.
        N: The number of powers; None means M.
        increasing: Whether the powers rise from left to right.

    Returns:
        A matrix of shape ``(M, N)``, whose columns are ``x**0`` to ``x**(N-1)`` in
        the order asked for.

    Raises:
        ShapeError: If `x` is no vector.
    """
    x = as_tensor(x)
    if len(x.shape) != 1:
        raise ShapeError(
            f"polykeras.ops.vander expected a vector, got shape {tuple(x.shape)}."
        )
    count = int(x.shape[0]) if N is None else N
    if count == 0:
        return REGISTRY["full"]((int(x.shape[0]), 0), 0, dtype_of(x))
    columns = [REGISTRY["ones_like"](x)]
    while len(columns) < count:
        columns.append(REGISTRY["multiply"](columns[-1], x))
    return stack(columns if increasing else columns[::-1], axis=1)


# -- blocks of space and channels ------------------------------------------------


@op(tensor="x")
def depth_to_space(
    x: Tensor, block_size: int, data_format: str = "channels_last"
) -> Tensor:
    """Return images enlarged by laying blocks of channels out in space.

    Args:
        x: Images of shape ``(B, H, W, C)``, or ``(B, C, H, W)`` channels first; C
            is a multiple of ``block_size**2``.
        block_size: How many times larger the images become.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        Images with ``H * block_size`` rows and ``C / block_size**2`` channels.

    Raises:
        ShapeError: If rank or channels do not fit.

    >>> import polykeras as keras
    >>> keras.ops.depth_to_space(keras.ops.ones((1, 2, 2, 12)), 2).shape
    (1, 4, 4, 3)
    """
    x = as_tensor(x)
    batch, height, width, channels = _image_sizes("depth_to_space", x, data_format)
    b, depth = block_size, channels // block_size**2
    if depth * b * b != channels:
        raise ShapeError(
            f"polykeras.ops.depth_to_space expected a multiple of {b * b} channels, "
            f"got shape {tuple(x.shape)} ({data_format})."
        )
    if data_format == "channels_last":
        x = reshape(x, (batch, height, width, b, b, depth))
        x = transpose(x, (0, 1, 3, 2, 4, 5))
        return reshape(x, (batch, height * b, width * b, depth))
    x = reshape(x, (batch, b, b, depth, height, width))
    x = transpose(x, (0, 3, 4, 1, 5, 2))
    return reshape(x, (batch, depth, height * b, width * b))


@op(tensor="x")
def space_to_depth(
    x: Tensor, block_size: int, data_format: str = "channels_last"
) -> Tensor:
    """Return images made smaller by gathering blocks of pixels as channels.

    Args:
        x: Images of shape ``(B, H, W, C)``, or ``(B, C, H, W)`` channels first; H
            and W are multiples of `block_size`.
        block_size: How many times smaller the images become.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        Images with ``H / block_size`` rows and ``C * block_size**2`` channels.

    Raises:
        ShapeError: If rank or sizes do not fit.
    """
    x = as_tensor(x)
    batch, height, width, channels = _image_sizes("space_to_depth", x, data_format)
    b = block_size
    if height % b or width % b:
        raise ShapeError(
            f"polykeras.ops.space_to_depth expected height and width to be multiples "
            f"of {b}, got shape {tuple(x.shape)} ({data_format})."
        )
    rows, columns = height // b, width // b
    if data_format == "channels_last":
        x = reshape(x, (batch, rows, b, columns, b, channels))
        x = transpose(x, (0, 1, 3, 2, 4, 5))
        return reshape(x, (batch, rows, columns, channels * b * b))
    x = reshape(x, (batch, channels, rows, b, columns, b))
    x = transpose(x, (0, 3, 5, 1, 2, 4))
    return reshape(x, (batch, channels * b * b, rows, columns))


def _image_sizes(name: str, x: Tensor, data_format: str) -> tuple[int, int, int, int]:
    allowed = ("channels_first", "channels_last")
    if data_format not in allowed:
        raise ArgumentError(
            f"polykeras.ops.{name} got the data_format {data_format!r}. "
            f"{nearest(data_format, allowed)}"
        )
    if len(x.shape) != 4:
        raise ShapeError(
            f"polykeras.ops.{name} expected images with four axes, got shape "
            f"{tuple(x.shape)}."
        )
    b, h, w, c = x.shape
    if data_format == "channels_first":
        h, w, c = w, c, h
    return int(b), int(h), int(w), int(c)
