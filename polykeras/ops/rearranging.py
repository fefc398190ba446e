"""Rolling, rotating, diagonals, padding modes, and axes named by a pattern."""

from __future__ import annotations

import builtins
import math
import operator
import re
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
from polykeras.ops.shaping import (
    concatenate,
    flip,
    moveaxis,
    pad_constant,
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
    "pad",
    "rearrange",
    "roll",
    "rot90",
    "space_to_depth",
    "vander",
]

_PAD_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


@op(tensor="x")
def pad(
    x: Tensor,
    pad_width: Any,
    mode: str = "constant",
    constant_values: Any = None,
) -> Tensor:
    """Return the tensor with values added around it.

    Args:
        x: A tensor of rank N.
        pad_width: How many values before and after: one number, one pair, or a
            pair for each axis.
        mode: ``"constant"``; ``"edge"`` repeats the outermost values;
            ``"reflect"`` and ``"symmetric"`` mirror without and with them;
            ``"wrap"`` continues at the other end.
        constant_values: The number to pad with under ``"constant"``; None means 0.

    Returns:
        A larger tensor of the dtype of `x`.

    Raises:
        ArgumentError: If the mode is unknown, sizes are negative, or
            `constant_values` is given with another mode.

    >>> import polykeras as keras
    >>> [int(v) for v in keras.ops.pad([1, 2, 3], (2, 1), mode="reflect")]
    [3, 2, 1, 2, 3, 2]
    """
    x = as_tensor(x)
    pads = _pad_pairs(x, pad_width)
    if mode not in _PAD_MODES:
        raise ArgumentError(
            f"polykeras.ops.pad got the unknown mode {mode!r}. "
            f"{nearest(mode, _PAD_MODES)}"
        )
    if mode == "constant":
        return _pad_with(x, pads, 0 if constant_values is None else constant_values)
    if constant_values is not None:
        raise ArgumentError(
            f"polykeras.ops.pad got constant_values with mode {mode!r}. Leave it out, "
            "or use mode='constant'."
        )
    for axis, (before, after) in enumerate(pads):
        if before or after:
            n = int(x.shape[axis])
            if n == 0:
                raise ShapeError(
                    f"polykeras.ops.pad cannot extend the empty axis {axis} of shape "
                    f"{tuple(x.shape)} with mode {mode!r}."
                )
            source = np.arange(n, dtype=np.int32)
            places = np.pad(source, (before, after), mode=mode)  # type: ignore[call-overload]
            x = REGISTRY["take"](x, places, axis)
    return x


def _pad_pairs(x: Tensor, pad_width: Any) -> tuple[tuple[int, int], ...]:
    rank = len(x.shape)
    known = known_values(pad_width)
    try:
        pairs = np.broadcast_to(np.asarray(known), (rank, 2)).tolist()
        return tuple((operator.index(b), operator.index(a)) for b, a in pairs)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"polykeras.ops.pad expected a number, a pair (before, after) or a pair "
            f"for each of {rank} axes as pad_width, got {pad_width}."
        ) from None


def _pad_with(x: Tensor, pads: tuple[tuple[int, int], ...], value: Any) -> Tensor:
    if isinstance(value, int | float | complex):
        return pad_constant(x, pads, value)
    inside = REGISTRY["ones_like"](x, dtype="bool")
    value = REGISTRY["cast"](as_tensor(value), dtype_of(x))
    return REGISTRY["where"](
        pad_constant(inside, pads, False), pad_constant(x, pads, 0), value
    )


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


# -- patterns ------------------------------------------------------------------

_MERGED = "(...)"
_TOKEN = re.compile(r"\.\.\.|[A-Za-z_]\w*|[()]|1|(\S)")


def rearrange(tensor: Tensor, pattern: str, **axes_lengths: int) -> Tensor:
    """Return the tensor with axes split, reordered and merged as a pattern says.

    Args:
        tensor: A tensor of any shape.
        pattern: ``"before -> after"``: a name for each axis; names in parentheses
            are merged into one axis; ``1`` is an axis of size 1; ``...`` stands
            for any number of axes.
        axes_lengths: Sizes of names that the shape does not tell.

    Returns:
        A tensor with the same values.

    Raises:
        ArgumentError: If the pattern is malformed.
        ShapeError: If it does not fit the shape.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((2, 6, 4, 3))
    >>> keras.ops.rearrange(x, "b (h k) w c -> b h w (k c)", k=2).shape
    (2, 3, 4, 6)

    Reference: Rogozhnikov, 2022, "Einops: Clear and Reliable Tensor Manipulations
    with Einstein-like Notation".
    """
    tensor = as_tensor(tensor)
    shape = tuple(tensor.shape)
    sides = pattern.split("->")
    if len(sides) != 2:
        raise _bad_pattern(pattern, "it needs one '->'")
    left, right = (_groups(side, pattern) for side in sides)
    left, right = _without_ellipsis(left, right, len(shape), pattern)
    before = [name for group in left for name in group]
    after = [name for group in right for name in group]
    if sorted(before) != sorted(after) or len(set(before)) != len(before):
        raise _bad_pattern(pattern, "both sides must hold the same names, each once")
    unknown = set(axes_lengths) - set(before)
    if unknown:
        raise _bad_pattern(pattern, f"it has no axes named {sorted(unknown)}")
    sizes = _sizes(left, shape, axes_lengths, pattern)
    tensor = reshape(tensor, tuple(sizes[name] for name in before))
    tensor = transpose(tensor, tuple(before.index(name) for name in after))
    return reshape(
        tensor, tuple(math.prod(sizes[name] for name in group) for group in right)
    )


Groups = list[list[str]]


def _bad_pattern(pattern: str, why: str) -> ArgumentError:
    return ArgumentError(
        f"polykeras.ops.rearrange cannot use the pattern {pattern!r}: {why}. Write it "
        "as 'b (h k) c -> b h (k c)'."
    )


def _groups(side: str, pattern: str) -> Groups:
    """Return the names of each axis; an axis of size 1 has none."""
    groups: Groups = []
    inside = False
    for match in _TOKEN.finditer(side):
        token = match.group()
        if match.group(1) is not None:
            raise _bad_pattern(pattern, f"{token!r} is no name")
        if token in "()":
            if inside == (token == "("):
                raise _bad_pattern(pattern, "its parentheses do not match")
            inside = token == "("
            if inside:
                groups.append([])
        elif token == "1":
            if not inside:
                groups.append([])
        elif inside:
            groups[-1].append(_MERGED if token == "..." else token)
        else:
            groups.append([token])
    if inside:
        raise _bad_pattern(pattern, "its parentheses do not match")
    return groups


def _without_ellipsis(
    left: Groups, right: Groups, rank: int, pattern: str
) -> tuple[Groups, Groups]:
    if ["..."] not in left:
        if len(left) != rank:
            raise ShapeError(
                f"polykeras.ops.rearrange got a tensor with {rank} axes, but the "
                f"pattern {pattern!r} names {len(left)}."
            )
        return left, right
    count = rank - len(left) + 1
    if count < 0:
        raise ShapeError(
            f"polykeras.ops.rearrange got a tensor with {rank} axes, but the pattern "
            f"{pattern!r} names at least {len(left) - 1}."
        )
    names = [f"...{i}" for i in range(count)]
    place = left.index(["..."])
    left = left[:place] + [[name] for name in names] + left[place + 1 :]
    expanded: Groups = []
    for group in right:
        if group == ["..."]:
            expanded += [[name] for name in names]
        else:
            expanded.append(
                [n for name in group for n in (names if name == _MERGED else [name])]
            )
    return left, expanded


def _sizes(
    groups: Groups, shape: tuple[int, ...], given: dict[str, int], pattern: str
) -> dict[str, int]:
    sizes = dict(given)
    for group, size in zip(groups, shape, strict=True):
        open_names = [name for name in group if name not in sizes]
        known = math.prod(sizes[name] for name in group if name in sizes)
        if len(open_names) > 1:
            raise _bad_pattern(pattern, f"give the sizes of {open_names[1:]}")
        if open_names and known and size % known == 0:
            sizes[open_names[0]] = size // known
        elif open_names or known != size:
            raise ShapeError(
                f"polykeras.ops.rearrange cannot split size {size} of shape {shape} "
                f"into ({' '.join(group)}) with sizes {given}; pattern {pattern!r}."
            )
    return sizes
