"""Sizes and padding of sliding windows, shared by convolution and pooling.

Reference: Dumoulin and Visin, 2016, "A guide to convolution arithmetic for deep
learning", relationships 6 and 14.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Final

from polykeras.errors import ArgumentError, ShapeError, nearest

__all__ = [
    "Padding",
    "adjusted_padding",
    "check_rank",
    "dilated",
    "per_axis",
    "resolve_padding",
    "transpose_padding",
    "transposed_sizes",
    "window_counts",
    "window_sizes",
]

Padding = tuple[tuple[int, int], ...]
_MODES: Final = ("valid", "same")
_MAX_RANK: Final = 3


def check_rank(op: str, shape: tuple[int, ...]) -> int:
    """Return the number of spatial axes of a batch of signals or images.

    Raises:
        ShapeError: If there are not 1 to 3 besides batch and channels.
    """
    rank = len(shape) - 2
    if not 1 <= rank <= _MAX_RANK:
        raise ShapeError(
            f"polykeras.ops.{op} expected a batch with 1 to 3 spatial axes and a "
            f"channel axis (3 to 5 axes), got shape {tuple(shape)}."
        )
    return rank


def per_axis(op: str, name: str, value: Any, rank: int) -> tuple[int, ...]:
    """Return one positive int per spatial axis.

    Raises:
        ArgumentError: If `value` is neither an int nor `rank` ints, or below 1.
    """
    try:
        if isinstance(value, Sequence):
            sizes = tuple(operator.index(n) for n in value)
            sizes = sizes * rank if len(sizes) == 1 else sizes
        else:
            sizes = (operator.index(value),) * rank
    except TypeError:
        sizes = ()
    if len(sizes) != rank or min(sizes) < 1:
        raise ArgumentError(
            f"polykeras.ops.{op} expected {name} as a positive int or {rank} of them, "
            f"one per spatial axis, got {value!r}."
        )
    return sizes


def dilated(size: int, dilation: int) -> int:
    """Return how many cells a window spans."""
    return (size - 1) * dilation + 1


def resolve_padding(
    op: str,
    padding: Any,
    sizes: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
) -> Padding:
    """Return the cells to add before and after each spatial axis.

    ``"same"`` gives ``ceil(size / stride)`` windows and puts the odd cell last.

    Raises:
        ArgumentError: If `padding` is another word.
    """
    mode = str(padding).lower()
    if mode == "valid":
        return ((0, 0),) * len(window)
    if mode != "same":
        raise ArgumentError(
            f"polykeras.ops.{op} got padding {padding!r}. {nearest(mode, _MODES)}"
        )
    pairs = []
    for n, k, s, d in zip(sizes, window, strides, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + dilated(k, d) - n, 0)
        pairs.append((total // 2, total - total // 2))
    return tuple(pairs)


def transpose_padding(
    op: str,
    padding: Any,
    window: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
    output_padding: Sequence[int] | None,
) -> Padding:
    """Return what a transposed convolution crops from both ends of each axis.

    A negative number extends the result by zeros.

    Raises:
        ArgumentError: If `padding` is another word, or `output_padding` reaches the
            stride.
    """
    mode = str(padding).lower()
    if mode not in _MODES:
        raise ArgumentError(
            f"polykeras.ops.{op} got padding {padding!r}. {nearest(mode, _MODES)}"
        )
    pairs = []
    for i, (size, s, d) in enumerate(zip(window, strides, dilation, strict=True)):
        k = dilated(size, d)
        extra = None if output_padding is None else output_padding[i]
        if extra is not None and not 0 <= extra < s:
            raise ArgumentError(
                f"polykeras.ops.{op} got output_padding {extra} on spatial axis {i}, "
                f"which must be at least 0 and less than the stride {s}."
            )
        if mode == "valid":
            extra = max(s - k, 0) if extra is None else extra
            pairs.append((0, -extra))
            continue
        # The cells that a plain convolution of the spread-out input would add.
        total = s + k - 2 if extra is None else k + k % 2 - 2 + extra
        before = min(total - total // 2, k - 1)
        pairs.append((k - 1 - before, k - 1 - (total - before)))
    return tuple(pairs)


def window_sizes(
    op: str,
    sizes: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
    dilation: Sequence[int] | None = None,
) -> tuple[int, ...]:
    """Return the number of windows along each spatial axis.

    Raises:
        ShapeError: If a window is larger than the padded axis.
    """
    found = []
    spans = dilation or (1,) * len(window)
    for i, (n, k, s, (low, high), d) in enumerate(
        zip(sizes, window, strides, padding, spans, strict=True)
    ):
        room = n + low + high - dilated(k, d)
        if room < 0:
            raise ShapeError(
                f"polykeras.ops.{op} expected at least {dilated(k, d)} cells on "
                f"spatial axis {i} for a window of {k} with dilation {d}, got {n} and "
                f"padding ({low}, {high}). Use padding='same', a smaller window or a "
                "larger input."
            )
        found.append(room // s + 1)
    return tuple(found)


def transposed_sizes(
    sizes: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
    dilation: Sequence[int] | None = None,
) -> tuple[int, ...]:
    """Return the size along each axis that `sizes` windows spread over."""
    spans = dilation or (1,) * len(window)
    return tuple(
        (n - 1) * s + dilated(k, d) - low - high
        for n, k, s, (low, high), d in zip(
            sizes, window, strides, padding, spans, strict=True
        )
    )


def adjusted_padding(
    sizes: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
    dilation: Sequence[int] | None = None,
) -> Padding:
    """Return `padding` less the cells at the end that no window reaches.

    With it, `transposed_sizes` of the windows gives `sizes` back.
    """
    spans = dilation or (1,) * len(window)
    return tuple(
        (low, high - (n + low + high - dilated(k, d)) % s)
        for n, k, s, (low, high), d in zip(
            sizes, window, strides, padding, spans, strict=True
        )
    )


def window_counts(
    sizes: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
) -> list[list[int]]:
    """Return for each axis how many cells of each window are not padding."""
    counts = []
    windows = window_sizes("average_pool", sizes, window, strides, padding)
    for n, k, s, (low, _), m in zip(
        sizes, window, strides, padding, windows, strict=True
    ):
        starts = [i * s - low for i in range(m)]
        counts.append([max(min(a + k, n) - max(a, 0), 1) for a in starts])
    return counts
