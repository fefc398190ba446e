"""Sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from polykeras.errors import ArgumentError, DataError, nearest

__all__ = ["pad_sequences"]

_SIDES = ("pre", "post")


def pad_sequences(
    sequences: Sequence[Any] | NDArray[Any],
    maxlen: int | None = None,
    dtype: DTypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> NDArray[Any]:
    """Pad and truncate sequences to one length.

    Args:
        sequences: N sequences, each of shape ``(length, ...)`` with its own length
            and the rest of the shape in common.
        maxlen: Length T of the result; None is the longest length.
        dtype: Dtype of the result; ``object`` for strings of any length.
        padding: Where values are added: ``"pre"`` or ``"post"``.
        truncating: Where values are cut off: ``"pre"`` or ``"post"``.
        value: What is added.

    Returns:
        An array of shape ``(N, T, ...)``.

    Raises:
        ArgumentError: If `padding` or `truncating` is unknown, or `value` is a string
            and `dtype` cannot hold it.
        DataError: If an element is no sequence, or the shapes differ past the length.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
    array([[0, 1],
           [2, 3],
           [5, 6]], dtype=int32)
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in _SIDES:
            raise ArgumentError(f"Unknown {name} {side!r}. {nearest(side, _SIDES)}")
    dtype = np.dtype(dtype)
    if isinstance(value, str) and dtype.kind not in "OUS":
        raise ArgumentError(
            f"A dtype of {dtype} cannot hold the padding value {value!r}. "
            "Pass dtype=object for strings."
        )
    lengths = _lengths(sequences)
    if maxlen is None:
        maxlen = max(lengths, default=0)
    filled = [i for i, length in enumerate(lengths) if length]
    rest = np.shape(sequences[filled[0]])[1:] if filled else ()

    out = np.full((len(lengths), maxlen, *rest), value, dtype=dtype)
    for i in filled:
        kept = min(lengths[i], maxlen)
        start = lengths[i] - kept if truncating == "pre" else 0
        row = np.asarray(sequences[i][start : start + kept], dtype=dtype)
        if kept and row.shape[1:] != rest:
            raise DataError(
                f"Expected every sequence to have the shape (length, *{rest}), "
                f"got {np.shape(sequences[i])} at position {i}."
            )
        begin = maxlen - kept if padding == "pre" else 0
        out[i, begin : begin + kept] = row if kept else value
    return out


def _lengths(sequences: Any) -> list[int]:
    if not hasattr(sequences, "__len__"):
        raise DataError(
            f"Expected a list of sequences, got {type(sequences).__name__}. "
            "Make a list of it first."
        )
    lengths = []
    for i, sequence in enumerate(sequences):
        try:
            lengths.append(len(sequence))
        except TypeError as error:
            raise DataError(
                f"Expected a list of sequences, got {sequence!r} at position {i}. "
                "Wrap a single sequence into a list."
            ) from error
    return lengths
