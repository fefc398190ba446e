"""Reading and replacing parts of tensors: keys, slices and gathers.

`get_item` turns a Python key into `basic_index`, which a backend supplies, and
`take`. Out of range: an index whose value is known is an error on every backend;
inside a compiled function, where it is not, `take` and `take_along_axis` use the
nearest place and `scatter_update` ignores it. Negative indices count from the end.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from polykeras.backend import Tensor, check_indices
from polykeras.dtypes import is_integer
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._registry import REGISTRY
from polykeras.ops._shapes import broadcast_shapes, canonical_axis
from polykeras.ops._values import as_tensor, dtype_of, known_values
from polykeras.ops.padding import pad_constant
from polykeras.ops.shaping import (
    broadcast_to,
    flip,
    moveaxis,
    reshape,
    transpose,
)

__all__ = [
    "basic_index",
    "extract_sequences",
    "get_item",
    "take",
    "take_along_axis",
]

Key = tuple["int | builtins.slice | None", ...]


# -- keys ----------------------------------------------------------------------


@primitive(tensor="x")
def basic_index(x: Tensor, key: Key) -> Tensor:
    """Return ``x[key]`` for a key in canonical form; `get_item` takes any key.

    Args:
        x: A tensor of rank N.
        key: N entries, each an int or a slice with non-negative start and stop and
            a positive step, and any number of None, which insert an axis.

    Returns:
        A tensor that may share memory with `x`.
    """


@basic_index.abstract
def _(x: Spec, key: Key) -> Spec:
    shape: list[int] = []
    axis = 0
    for entry in key:
        if entry is None:
            shape.append(1)
            continue
        if isinstance(entry, builtins.slice):
            shape.append(len(range(*entry.indices(x.shape[axis]))))
        axis += 1
    return Spec(tuple(shape), x.dtype)


@basic_index.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, key: Key) -> Tensor:
    counts: list[int] = []
    steps: list[int] = []
    starts: list[int] = []
    sizes = tuple(x.shape)
    for entry in key:
        if isinstance(entry, builtins.slice):
            start, stop, step = entry.indices(sizes[len(counts)])
            counts.append(len(range(start, stop, step)))
            starts.append(start)
            steps.append(step)
        elif entry is not None:
            counts.append(1)
            starts.append(entry)
            steps.append(1)
    g = reshape(g, counts)
    g, spans = _spread(g, counts, steps)
    pads = []
    for n, start, span in zip(sizes, starts, spans, strict=True):
        pads.append((start, n - start - span) if span else (n, 0))
    return pad_constant(g, tuple(pads)) if any(map(any, pads)) else g


def _spread(
    g: Tensor, counts: Sequence[int], steps: Sequence[int]
) -> tuple[Tensor, list[int]]:
    """Put zeros between values; return the sizes from first to last value."""
    spans = [
        (n - 1) * step + 1 if n else 0 for n, step in zip(counts, steps, strict=True)
    ]
    if all(step == 1 for step in steps):
        return g, spans
    pairs = [size for n in counts for size in (n, 1)]
    gaps = [pad for step in steps for pad in ((0, 0), (0, step - 1))]
    full = tuple(n * step for n, step in zip(counts, steps, strict=True))
    g = reshape(pad_constant(reshape(g, pairs), tuple(gaps)), full)
    return basic_index(g, tuple(builtins.slice(0, n, 1) for n in spans)), spans


@op(tensor="x", tree="key")
def get_item(x: Tensor, key: Any) -> Tensor:
    """Return ``x[key]`` with the meaning that NumPy gives it.

    Args:
        x: A tensor of any shape.
        key: Ints, slices, None, ``...``, integer tensors (broadcast together) and
            boolean masks, alone or in a tuple. A mask's values must be known.

    Returns:
        A tensor of the dtype of `x`.

    Raises:
        ArgumentError: If there are too many indices, one is out of range, or a
            mask is being traced.

    >>> import polykeras as keras
    >>> x = keras.ops.reshape(keras.ops.arange(6), (2, 3))
    >>> [int(v) for v in keras.ops.get_item(x, (1, slice(None, None, -1)))]
    [5, 4, 3]
    """
    x = as_tensor(x)
    shape = tuple(x.shape)
    entries = _expand(key if isinstance(key, tuple) else (key,), shape)
    arrays = [e for e in entries if _is_array(e)]
    if any(np.ndim(e) or not isinstance(e, np.ndarray) for e in arrays):
        return _advanced(x, entries)
    plain = [int(e) if _is_array(e) else e for e in entries]
    basic, reversed_axes = _canonical_key(plain, shape)
    x = basic_index(x, basic)
    return flip(x, reversed_axes) if reversed_axes else x


def _is_array(entry: Any) -> bool:
    return entry is not None and not isinstance(entry, int | builtins.slice)


def _expand(key: tuple[Any, ...], shape: tuple[int, ...]) -> list[Any]:
    """Return a list with one entry an axis, and None where an axis is inserted.

    Masks become the positions of their true values; positions that are known come
    as NumPy arrays, others as tensors.
    """
    entries: list[Any] = []
    for entry in key:
        if entry is None or entry is Ellipsis or isinstance(entry, builtins.slice):
            entries.append(entry)
        elif isinstance(entry, int | np.integer) and not isinstance(entry, bool):
            entries.append(int(entry))
        else:
            entries += _positions(entry)
    used = sum(e is not None and e is not Ellipsis for e in entries)
    dots = sum(e is Ellipsis for e in entries)
    if used > len(shape) or dots > 1:
        raise ArgumentError(
            f"polykeras.ops.get_item got {used} indices and {dots} '...' for a tensor "
            f"of shape {shape}. Use at most {len(shape)} indices and one '...'."
        )
    place = next((i for i, e in enumerate(entries) if e is Ellipsis), len(entries))
    fill = [builtins.slice(None)] * (len(shape) - used)
    return entries[:place] + fill + entries[place + 1 :]


def _positions(entry: Any) -> list[Any]:
    known = known_values(entry)
    if known is None:
        entry = as_tensor(entry)
        name = dtype_of(entry)
        if name == "bool":
            raise ArgumentError(
                f"polykeras.ops.get_item got a boolean mask of shape "
                f"{tuple(entry.shape)} whose values are not known while a model is "
                "built or compiled, so the result has no known shape. Use ops.where."
            )
    else:
        if known.size == 0 and isinstance(entry, list | tuple):
            known = known.astype(np.int32)
        name = known.dtype.name
        entry = known
    if name == "bool":
        if known is None or known.ndim == 0:
            raise ArgumentError(
                "polykeras.ops.get_item got a single truth value as an index. Use a "
                "mask with at least one axis, or ops.where."
            )
        return list(np.nonzero(known))
    if not is_integer(name):
        raise DTypeError(
            f"polykeras.ops.get_item expected ints, slices, None, '...', integer "
            f"tensors or masks, got dtype {name}. Use ops.cast(index, 'int32')."
        )
    return [entry]


def _canonical_key(
    entries: Sequence[Any], shape: tuple[int, ...]
) -> tuple[Key, tuple[int, ...]]:
    """Return the key for `basic_index`, and the axes of its result to reverse."""
    key: list[int | builtins.slice | None] = []
    flipped: list[int] = []
    axis = place = 0
    for entry in entries:
        if entry is None:
            key.append(None)
            place += 1
            continue
        n = shape[axis]
        if isinstance(entry, builtins.slice):
            start, stop, step = entry.indices(n)
            count = len(range(start, stop, step))
            if count == 0:
                start, stop, step = 0, 0, 1
            elif step < 0:
                start, step = start + (count - 1) * step, -step
                flipped.append(place)
            if count:
                stop = start + (count - 1) * step + 1
            key.append(builtins.slice(start, stop, step))
            place += 1
        else:
            check_indices("get_item", entry, n, axis)
            key.append(entry % n)
        axis += 1
    return tuple(key), tuple(flipped)


def _advanced(x: Tensor, entries: Sequence[Any]) -> Tensor:
    """Index with integer tensors: slice first, then gather from one merged axis."""
    whole = builtins.slice(None)
    is_index = [e is not None and not isinstance(e, builtins.slice) for e in entries]
    rest = [whole if i else e for e, i in zip(entries, is_index, strict=True)]
    basic, reversed_axes = _canonical_key(rest, tuple(x.shape))
    x = basic_index(x, basic)
    x = flip(x, reversed_axes) if reversed_axes else x
    axes = [i for i, advanced in enumerate(is_index) if advanced]
    indices = [entries[i] for i in axes]
    if len(axes) == 1:
        return take(x, indices[0], axes[0])
    together = broadcast_shapes("get_item", *(tuple(np.shape(i)) for i in indices))
    sizes = [int(x.shape[a]) for a in axes]
    others = [a for a in range(len(x.shape)) if a not in axes]
    merged = transpose(x, axes + others)
    merged = reshape(merged, (math.prod(sizes), *(int(x.shape[a]) for a in others)))
    out = take(merged, _merged_index(indices, sizes, axes, together), 0)
    if axes[-1] - axes[0] + 1 == len(axes) and axes[0] > 0:
        new = tuple(range(len(together)))
        out = moveaxis(out, new, tuple(axes[0] + i for i in new))
    return out


def _merged_index(
    indices: Sequence[Any], sizes: Sequence[int], axes: Sequence[int], shape: Any
) -> Tensor:
    """Return row-major positions for several indices that broadcast to `shape`."""
    total: Any = None
    for index, n, axis in zip(indices, sizes, axes, strict=True):
        place = wrapped("get_item", index, n, axis)
        total = place if total is None else _multiply_add(total, n, place)
    return broadcast_to(total, shape)


def _multiply_add(total: Any, n: int, place: Any) -> Any:
    if isinstance(total, np.ndarray) and isinstance(place, np.ndarray):
        return total * np.int32(n) + place
    return REGISTRY["add"](REGISTRY["multiply"](total, n), place)


def wrapped(name: str, index: Any, n: int, axis: int) -> Any:
    """Return indices in ``[0, n)``: negative ones count from the end.

    Args:
        name: The op, for the error.
        index: Integers on the host, which are checked, or a tensor.
        n: The size of the axis.
        axis: The axis, for the error.

    Raises:
        ArgumentError: If a known index is out of range.
    """
    if isinstance(index, int | np.ndarray):
        check_indices(name, index, n, axis)
        return np.asarray(index, np.int32) % np.int32(max(n, 1))
    known = known_values(index)
    if known is not None:
        check_indices(name, known, n, axis)
    if dtype_of(index).startswith("u"):
        return index
    where, less, add = REGISTRY["where"], REGISTRY["less"], REGISTRY["add"]
    return where(less(index, 0), add(index, n), index)


# -- gathers -------------------------------------------------------------------


@primitive(tensor="x", integer="indices")
def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """Return the slices of a tensor at the given places along an axis.

    Args:
        x: A tensor of any shape.
        indices: Integers of any shape; negative ones count from the end.
        axis: The axis; None takes from the values in row-major order.

    Returns:
        A tensor in whose shape the axis is replaced by the shape of `indices`.

    Raises:
        ArgumentError: If an index is out of range and its value is known; inside a
            compiled function, and on accelerators, the nearest place is used.

    >>> import polykeras as keras
    >>> [int(v) for v in keras.ops.take([10, 20, 30], [2, 0, -1])]
    [30, 10, 30]
    """


@take.prepare
def _(x: Tensor, indices: Tensor, axis: Any = None) -> tuple[Any, ...]:
    if axis is None:
        x, axis = reshape(x, (math.prod(x.shape),)), 0
    axis = canonical_axis("take", axis, len(x.shape))
    if x.shape[axis] == 0 and math.prod(indices.shape):
        raise ArgumentError(
            f"polykeras.ops.take cannot take values from the empty axis {axis} of "
            f"shape {tuple(x.shape)}."
        )
    return x, indices, axis


@take.abstract
def _(x: Spec, indices: Spec, axis: int) -> Spec:
    return Spec(x.shape[:axis] + indices.shape + x.shape[axis + 1 :], x.dtype)


@take.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, indices: Tensor, axis: int) -> Tensor:
    rank = len(indices.shape)
    n = int(x.shape[axis])
    rest = tuple(x.shape[:axis]) + tuple(x.shape[axis + 1 :])
    if axis:
        g = moveaxis(g, tuple(range(axis, axis + rank)), tuple(range(rank)))
    g = reshape(g, (math.prod(indices.shape), *rest))
    places = reshape(wrap_negative(indices, n), (math.prod(indices.shape),))
    total = REGISTRY["segment_sum"](g, places, n)
    return moveaxis(total, 0, axis) if axis else total


def wrap_negative(index: Tensor, n: int) -> Tensor:
    """Return `index` with `n` added to negative values; nothing is checked."""
    if dtype_of(index).startswith("u"):
        return index
    where, less, add = REGISTRY["where"], REGISTRY["less"], REGISTRY["add"]
    return where(less(index, 0), add(index, n), index)


@primitive(tensor="x", integer="indices")
def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """Return for each place a value of the same line along an axis.

    Args:
        x: A tensor of rank N.
        indices: Integers of rank N whose other sizes broadcast with those of `x`;
            negative ones count from the end.
        axis: The axis; None takes from the values in row-major order.

    Returns:
        A tensor whose size along `axis` is that of `indices`.

    Raises:
        ShapeError: If the shapes do not fit.
        ArgumentError: If an index is out of range, as for `take`.

    >>> import polykeras as keras
    >>> x = keras.ops.array([[3.0, 1.0, 2.0]])
    >>> keras.ops.take_along_axis(x, keras.ops.argsort(x), axis=1).shape
    (1, 3)
    """


@take_along_axis.prepare
def _(x: Tensor, indices: Tensor, axis: Any = None) -> tuple[Any, ...]:
    if axis is None:
        x, axis = reshape(x, (math.prod(x.shape),)), 0
    have, wanted = tuple(x.shape), tuple(indices.shape)
    axis = canonical_axis("take_along_axis", axis, len(have))
    if len(have) != len(wanted):
        raise ShapeError(
            f"polykeras.ops.take_along_axis expected indices with {len(have)} axes, "
            f"as x of shape {have} has; got shape {wanted}."
        )
    if have[axis] == 0 and math.prod(wanted):
        raise ArgumentError(
            f"polykeras.ops.take_along_axis cannot take values from the empty axis "
            f"{axis} of shape {have}."
        )
    lines = (
        (*have[:axis], 1, *have[axis + 1 :]),
        (*wanted[:axis], 1, *wanted[axis + 1 :]),
    )
    common = broadcast_shapes("take_along_axis", *lines)
    full_x = (*common[:axis], have[axis], *common[axis + 1 :])
    full_i = (*common[:axis], wanted[axis], *common[axis + 1 :])
    if full_x != have:
        x = broadcast_to(x, full_x)
    if full_i != wanted:
        indices = broadcast_to(indices, full_i)
    return x, indices, axis


@take_along_axis.abstract
def _(x: Spec, indices: Spec, axis: int) -> Spec:
    return Spec(indices.shape, x.dtype)


@take_along_axis.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, indices: Tensor, axis: int) -> Tensor:
    n, last = int(x.shape[axis]), len(x.shape) - 1
    places = wrap_negative(REGISTRY["cast"](indices, "int32"), n)
    g, places = moveaxis(g, axis, last), moveaxis(places, axis, last)
    lead, k = tuple(g.shape[:-1]), int(g.shape[-1])
    lines = math.prod(lead)
    first = np.arange(lines, dtype=np.int32)[:, None] * np.int32(n)
    places = REGISTRY["add"](reshape(places, (lines, k)), first)
    total = REGISTRY["segment_sum"](
        reshape(g, (lines * k,)), reshape(places, (lines * k,)), lines * n
    )
    return moveaxis(reshape(total, (*lead, n)), last, axis)


@op(tensor="x")
def extract_sequences(x: Tensor, sequence_length: int, sequence_stride: int) -> Tensor:
    """Return overlapping windows of the last axis.

    Args:
        x: A tensor of shape ``(..., T)``.
        sequence_length: The size L of a window, at most T.
        sequence_stride: The distance between the starts of windows.

    Returns:
        A tensor of shape ``(..., 1 + (T - L) // stride, L)``.

    Raises:
        ArgumentError: If length or stride are out of range.

    >>> import polykeras as keras
    >>> keras.ops.extract_sequences(keras.ops.arange(6), 3, 2).shape
    (2, 3)
    """
    x = as_tensor(x)
    n = _room_for_windows(tuple(x.shape), sequence_length, sequence_stride)
    starts = np.arange(0, n - sequence_length + 1, sequence_stride, dtype=np.int32)
    places = starts[:, None] + np.arange(sequence_length, dtype=np.int32)
    return take(x, places, -1)


@extract_sequences.prepare
def _(x: Tensor, sequence_length: int, sequence_stride: int) -> tuple[Any, ...]:
    _room_for_windows(tuple(x.shape), sequence_length, sequence_stride)
    return x, sequence_length, sequence_stride


def _room_for_windows(shape: tuple[int, ...], length: int, stride: int) -> int:
    """Return the size of the last axis.

    Raises:
        ArgumentError: If windows do not fit into it.
    """
    n = int(shape[-1]) if shape else 0
    if not 1 <= length <= n or stride < 1:
        raise ArgumentError(
            f"polykeras.ops.extract_sequences expected 1 <= sequence_length <= {n} and "
            f"sequence_stride >= 1 for shape {shape}, got {length} and {stride}."
        )
    return n
