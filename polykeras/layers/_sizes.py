"""Sizes that users give as one int or one per spatial axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from polykeras.errors import ArgumentError, ShapeError, nearest

__all__ = [
    "channel_axis",
    "known_channels",
    "not_negative",
    "one_of",
    "pairs_per_axis",
    "per_axis",
    "positive",
]


def _is_int(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def positive(layer: str, name: str, value: Any) -> int:
    """Return a positive int.

    Raises:
        ArgumentError: If `value` is none.
    """
    if not _is_int(value) or value < 1:
        raise ArgumentError(f"{layer} needs a positive int {name}, got {value!r}.")
    return int(value)


def not_negative(layer: str, name: str, value: Any) -> Any:
    """Return a number of at least 0.

    Raises:
        ArgumentError: If `value` is smaller, or NaN.
    """
    if not value >= 0:
        raise ArgumentError(f"{layer} needs {name} of at least 0, got {value!r}.")
    return value


def per_axis(
    layer: str, name: str, value: Any, rank: int, least: int = 1
) -> tuple[int, ...]:
    """Return one int for each spatial axis.

    Raises:
        ArgumentError: If `value` is neither an int nor `rank` of them, or too small.
    """
    given = tuple(value) if isinstance(value, list | tuple) else (value,) * rank
    if len(given) != rank or not all(_is_int(n) and n >= least for n in given):
        raise ArgumentError(
            f"{layer} needs {name} as an int of at least {least}, or {rank} of them, "
            f"got {value!r}."
        )
    return tuple(int(n) for n in given)


def pairs_per_axis(
    layer: str, name: str, value: Any, rank: int
) -> tuple[tuple[int, int], ...]:
    """Return cells (before, after) for each spatial axis.

    Args:
        layer: The layer's class, for messages.
        name: The argument's name, for messages.
        value: One int, one int for each axis, or one pair for each axis. For one
            axis, a pair of ints is the pair of that axis.
        rank: Number of axes.

    Raises:
        ArgumentError: If `value` is nothing of these, or negative.
    """
    given = [value] * rank if _is_int(value) else value
    if rank == 1 and isinstance(given, list | tuple) and len(given) == 2:
        given = [given]
    pairs = []
    if isinstance(given, list | tuple) and len(given) == rank:
        for item in given:
            pair = (item, item) if _is_int(item) else item
            if isinstance(pair, list | tuple) and len(pair) == 2:
                pairs.append(tuple(pair))
    if len(pairs) != rank or not all(_is_int(n) and n >= 0 for p in pairs for n in p):
        raise ArgumentError(
            f"{layer} needs {name} as an int of at least 0, {rank} of them, or {rank} "
            f"pair(s) of them, got {value!r}."
        )
    return tuple((int(low), int(high)) for low, high in pairs)


def one_of(layer: str, name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """Return a word in lower case.

    Raises:
        ArgumentError: If it is not among `allowed`.
    """
    word = value.lower() if isinstance(value, str) else value
    if word not in allowed:
        raise ArgumentError(f"{layer} got {name} {value!r}. {nearest(value, allowed)}")
    return str(word)


def channel_axis(data_format: str) -> int:
    """Return the axis of the channels of a batch."""
    return 1 if data_format == "channels_first" else -1


def known_channels(
    layer: str, input_shape: tuple[int | None, ...], data_format: str
) -> int:
    """Return the number of channels, which weights depend on.

    Raises:
        ShapeError: If it is unknown.
    """
    channels = input_shape[channel_axis(data_format)]
    if channels is None:
        raise ShapeError(
            f"The number of channels of the inputs of {layer!r} must be known, got "
            f"shape {tuple(input_shape)} with data_format {data_format!r}. Give it in "
            "Input(shape=...)."
        )
    return channels
