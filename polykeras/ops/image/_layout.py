"""Where height, width and channels are in a tensor of images."""

from __future__ import annotations

from typing import Any

from polykeras import config
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError, nearest

__all__ = [
    "channel_axis",
    "check_choice",
    "check_images",
    "is_channels_last",
    "spatial",
]


def is_channels_last(op: str, data_format: str | None) -> bool:
    """Return whether the channels are the last axis.

    Raises:
        ArgumentError: If `data_format` is no data format.
    """
    name = config.image_data_format() if data_format is None else data_format
    check_choice(op, "data_format", name, ("channels_last", "channels_first"))
    return name == "channels_last"


def check_choice(op: str, what: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Check that an argument has one of the allowed values.

    Raises:
        ArgumentError: If not.
    """
    if value not in allowed:
        raise ArgumentError(
            f"polykeras.ops.image.{op} got {what}={value!r}. {nearest(value, allowed)}"
        )


def check_images(op: str, images: Tensor, rank: int = 3) -> None:
    """Check that a tensor is one image or a batch of images.

    Raises:
        ShapeError: If it has another number of axes.
    """
    shape = tuple(images.shape)
    if len(shape) not in {rank, rank + 1}:
        raise ShapeError(
            f"polykeras.ops.image.{op} expected a tensor with {rank} axes, or "
            f"{rank + 1} for a batch, got shape {shape}."
        )


def channel_axis(images: Tensor, last: bool, rank: int = 3) -> int:
    """Return the non-negative axis of the channels."""
    return len(images.shape) - (1 if last else rank)


def spatial(images: Tensor, last: bool, rank: int = 3) -> tuple[int, ...]:
    """Return the non-negative axes of height and width (and depth before them)."""
    stop = len(images.shape) - (1 if last else 0)
    return tuple(range(stop - rank + 1, stop))
