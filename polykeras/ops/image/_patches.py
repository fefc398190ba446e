"""Cutting images and volumes into patches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._declare import op
from polykeras.ops.image._layout import (
    check_choice,
    check_images,
    is_channels_last,
    spatial,
)

__all__ = ["extract_patches", "extract_patches_3d"]


@op(tensor="images")
def extract_patches(
    images: Tensor,
    size: int | tuple[int, int],
    strides: int | tuple[int, int] | None = None,
    dilation_rate: int | tuple[int, int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the patches of images, each flattened into channels.

    Args:
        images: A tensor of shape (..., H, W, C), or (..., C, H, W) for
            ``"channels_first"``, with or without a batch axis.
        size: Height and width of a patch.
        strides: Distance between patches; None means `size`.
        dilation_rate: Distance between the pixels of a patch.
        padding: ``"valid"``, or ``"same"`` to add zeros so that there are as many
            patches as strides in each axis.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A tensor with one position for each patch, and channels in the order row,
        column, channel of the patch's pixels.

    Raises:
        ShapeError: If the rank is not 3 or 4, or a patch does not fit.
        ArgumentError: If a number is not positive or `padding` is unknown.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((1, 4, 4, 3))
    >>> tuple(keras.ops.image.extract_patches(x, 2).shape)
    (1, 2, 2, 12)
    """
    return _extract(
        "extract_patches", images, size, strides, dilation_rate, padding, data_format, 2
    )


@op(tensor="volumes")
def extract_patches_3d(
    volumes: Tensor,
    size: int | tuple[int, int, int],
    strides: int | tuple[int, int, int] | None = None,
    dilation_rate: int | tuple[int, int, int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the patches of volumes, each flattened into channels.

    Args:
        volumes: A tensor of shape (..., D, H, W, C), or (..., C, D, H, W) for
            ``"channels_first"``, with or without a batch axis.
        size: Depth, height and width of a patch.
        strides: Distance between patches; None means `size`.
        dilation_rate: Distance between the cells of a patch.
        padding: ``"valid"`` or ``"same"``, as for `extract_patches`.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A tensor with one position for each patch, and channels in the order
        depth, row, column, channel of the patch's cells.

    Raises:
        ShapeError: If the rank is not 4 or 5, or a patch does not fit.
        ArgumentError: If a number is not positive or `padding` is unknown.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((1, 4, 4, 4, 3))
    >>> tuple(keras.ops.image.extract_patches_3d(x, 2).shape)
    (1, 2, 2, 2, 24)
    """
    return _extract(
        "extract_patches_3d",
        volumes,
        size,
        strides,
        dilation_rate,
        padding,
        data_format,
        3,
    )


def _sizes(name: str, what: str, value: Any, rank: int) -> tuple[int, ...]:
    sizes = tuple(value) if isinstance(value, list | tuple) else (value,) * rank
    if len(sizes) != rank or any(not isinstance(n, int) or n < 1 for n in sizes):
        raise ArgumentError(
            f"polykeras.ops.image.{name} expected {what} to be a positive integer or "
            f"{rank} of them, got {value!r}."
        )
    return sizes


def _extract(
    name: str,
    images: Tensor,
    size: Any,
    strides: Any,
    dilation_rate: Any,
    padding: str,
    data_format: str | None,
    rank: int,
) -> Tensor:
    last = is_channels_last(name, data_format)
    images = ops.convert_to_tensor(images)
    check_images(name, images, rank + 1)
    check_choice(name, "padding", padding, ("valid", "same"))
    sizes = _sizes(name, "size", size, rank)
    steps = sizes if strides is None else _sizes(name, "strides", strides, rank)
    rates = _sizes(name, "dilation_rate", dilation_rate, rank)
    if not last:
        first = len(images.shape) - rank - 1
        images = ops.moveaxis(images, first, -1)
    axes = spatial(images, True, rank + 1)
    widths = [(0, 0)] * len(images.shape)
    index = []
    for axis, k, step, rate in zip(axes, sizes, steps, rates, strict=True):
        n, span = images.shape[axis], (k - 1) * rate + 1
        if padding == "same":
            count = math.ceil(n / step)
            extra = max((count - 1) * step + span - n, 0)
            widths[axis] = (extra // 2, extra - extra // 2)
        else:
            count = (n - span) // step + 1
        if count < 1:
            raise ShapeError(
                f"polykeras.ops.image.{name} cannot cut patches of {span} from axis "
                f"{axis} of shape {tuple(images.shape)}. Use padding='same'."
            )
        starts = np.arange(count, dtype=np.int32)[:, None] * step
        index.append(starts + np.arange(k, dtype=np.int32) * rate)
    if padding == "same":
        images = ops.pad(images, widths)
    # From the last axis to the first: the axes before keep their positions.
    for axis, positions in reversed(list(zip(axes, index, strict=True))):
        images = ops.take(images, positions, axis=axis)
    lead = axes[0]
    counts = tuple(range(lead, lead + 2 * rank, 2))
    cells = tuple(range(lead + 1, lead + 2 * rank, 2))
    order = (*range(lead), *counts, *cells, lead + 2 * rank)
    patches = ops.transpose(images, order)
    shape = tuple(patches.shape)
    flat = math.prod(shape[lead + rank :])
    patches = ops.reshape(patches, (*shape[: lead + rank], flat))
    return patches if last else ops.moveaxis(patches, -1, lead)
