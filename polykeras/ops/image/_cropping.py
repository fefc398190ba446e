"""Cutting borders off images, and adding them."""

from __future__ import annotations

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._declare import op
from polykeras.ops.image._layout import check_images, is_channels_last, spatial

__all__ = ["crop_images", "pad_images"]


def _borders(
    name: str,
    axis: str,
    size: int,
    before: int | None,
    after: int | None,
    target: int | None,
    sign: int,
) -> tuple[int, int]:
    """Return both borders of an axis from two of the three given numbers."""
    if [before, after, target].count(None) != 1:
        raise ArgumentError(
            f"polykeras.ops.image.{name} needs exactly two of the border before, the "
            f"border after and the target size of the {axis}, got {before}, {after} "
            f"and {target}."
        )
    # The target is the size plus (padding) or minus (cropping) both borders.
    total = 0 if target is None else sign * (target - size)
    before = total - after if before is None and after is not None else before
    after = total - before if after is None and before is not None else after
    if before is None or after is None or before < 0 or after < 0:
        raise ArgumentError(
            f"polykeras.ops.image.{name} cannot bring the {axis} from {size} to "
            f"{target}: the borders would be {before} and {after}."
        )
    return before, after


@op(tensor="images")
def crop_images(
    images: Tensor,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Return images without some rows and columns at their borders.

    Of the two croppings and the target size of each axis, two are given and the
    third follows.

    Args:
        images: A tensor of shape (..., H, W, C), or (..., C, H, W) for
            ``"channels_first"``, with or without a batch axis.
        top_cropping: Rows to cut off at the top.
        left_cropping: Columns to cut off on the left.
        bottom_cropping: Rows to cut off at the bottom.
        right_cropping: Columns to cut off on the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A tensor of the dtype of `images`.

    Raises:
        ShapeError: If the rank is not 3 or 4, or nothing is left.
        ArgumentError: If not exactly two of three are given, or one is negative.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((5, 6, 3))
    >>> tuple(
    ...     keras.ops.image.crop_images(x, 1, 1, target_height=3, target_width=4).shape
    ... )
    (3, 4, 3)
    """
    images = ops.convert_to_tensor(images)
    check_images("crop_images", images)
    axes = spatial(images, is_channels_last("crop_images", data_format))
    height, width = (images.shape[i] for i in axes)
    borders = (
        _borders(
            "crop_images",
            "height",
            height,
            top_cropping,
            bottom_cropping,
            target_height,
            -1,
        ),
        _borders(
            "crop_images",
            "width",
            width,
            left_cropping,
            right_cropping,
            target_width,
            -1,
        ),
    )
    key = [slice(None)] * len(images.shape)
    for axis, (before, after) in zip(axes, borders, strict=True):
        size = images.shape[axis]
        if before + after >= size:
            raise ShapeError(
                f"polykeras.ops.image.crop_images cannot crop {before} and {after} "
                f"from axis {axis} of shape {tuple(images.shape)}: nothing is left."
            )
        key[axis] = slice(before, size - after)
    return images[tuple(key)]


@op(tensor="images")
def pad_images(
    images: Tensor,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Return images with zeros added at their borders.

    Of the two paddings and the target size of each axis, two are given and the
    third follows.

    Args:
        images: A tensor of shape (..., H, W, C), or (..., C, H, W) for
            ``"channels_first"``, with or without a batch axis.
        top_padding: Rows to add at the top.
        left_padding: Columns to add on the left.
        bottom_padding: Rows to add at the bottom.
        right_padding: Columns to add on the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A tensor of the dtype of `images`.

    Raises:
        ShapeError: If the rank is not 3 or 4.
        ArgumentError: If not exactly two of three are given, or one is negative.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((5, 6, 3))
    >>> tuple(
    ...     keras.ops.image.pad_images(x, 1, 1, target_height=8, target_width=9).shape
    ... )
    (8, 9, 3)
    """
    images = ops.convert_to_tensor(images)
    check_images("pad_images", images)
    axes = spatial(images, is_channels_last("pad_images", data_format))
    height, width = (images.shape[i] for i in axes)
    widths = [(0, 0)] * len(images.shape)
    widths[axes[0]] = _borders(
        "pad_images", "height", height, top_padding, bottom_padding, target_height, 1
    )
    widths[axes[1]] = _borders(
        "pad_images", "width", width, left_padding, right_padding, target_width, 1
    )
    return ops.pad(images, widths)
