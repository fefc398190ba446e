"""Conversions between colour spaces."""

from __future__ import annotations

from typing import Any

from ml_dtypes import finfo

from polykeras import config, dtypes, ops
from polykeras.backend import Tensor
from polykeras.errors import DTypeError, ShapeError
from polykeras.ops._declare import op
from polykeras.ops.image._layout import channel_axis, check_images, is_channels_last

__all__ = ["hsv_to_rgb", "rgb_to_grayscale", "rgb_to_hsv"]

# Luma weights of red, green and blue in ITU-R BT.601, to four digits.
_LUMA = (0.2989, 0.5870, 0.1140)


@op(tensor="images")
def rgb_to_grayscale(images: Tensor, data_format: str | None = None) -> Tensor:
    """Return the brightness of colour images.

    Args:
        images: A tensor of shape (..., H, W, 3), or (..., 3, H, W) for
            ``"channels_first"``, with or without a batch axis. Images of one
            channel are returned as they are.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A tensor with one channel, of the dtype of `images`.

    Raises:
        ShapeError: If the rank is not 3 or 4 or there are not 1 or 3 channels.

    >>> import polykeras as keras
    >>> tuple(keras.ops.image.rgb_to_grayscale(keras.ops.ones((2, 2, 3))).shape)
    (2, 2, 1)
    """
    images = ops.convert_to_tensor(images)
    check_images("rgb_to_grayscale", images)
    axis = channel_axis(images, is_channels_last("rgb_to_grayscale", data_format))
    if images.shape[axis] == 1:
        return images
    _check_channels("rgb_to_grayscale", images, axis)
    name = ops.dtype(images)
    wide = ops.cast(images, dtypes.to_inexact(name, config.floatx()))
    red, green, blue = (
        ops.multiply(ops.take(wide, [i], axis=axis), weight)
        for i, weight in enumerate(_LUMA)
    )
    return ops.cast(ops.add(ops.add(red, green), blue), name)


def _check_channels(name: str, images: Tensor, axis: int) -> None:
    if images.shape[axis] != 3:
        raise ShapeError(
            f"polykeras.ops.image.{name} expected 3 channels on axis {axis}, got a "
            f"tensor of shape {tuple(images.shape)}. Is data_format right?"
        )


def _planes(
    name: str, images: Tensor, data_format: str | None
) -> tuple[tuple[Tensor, Tensor, Tensor], int]:
    """Return the three channels of floating images, and their axis."""
    check_images(name, images)
    axis = channel_axis(images, is_channels_last(name, data_format))
    _check_channels(name, images, axis)
    found = ops.dtype(images)
    if not dtypes.is_float(found):
        raise DTypeError(
            f"polykeras.ops.image.{name} expected floating values, got dtype {found} "
            f"with shape {tuple(images.shape)}. Use ops.cast(images, 'float32') / 255."
        )
    index = (slice(None),) * axis
    return tuple(images[(*index, i)] for i in range(3)), axis


@op(tensor="images")
def rgb_to_hsv(images: Tensor, data_format: str | None = None) -> Tensor:
    """Return hue, saturation and value of colour images.

    Args:
        images: A floating tensor of shape (..., H, W, 3), or (..., 3, H, W) for
            ``"channels_first"``, with values from 0 to 1.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A tensor of the same shape and dtype, with values from 0 to 1.

    Raises:
        ShapeError: If the rank is not 3 or 4 or there are not 3 channels.
        DTypeError: If the values are not floating.

    >>> import polykeras as keras
    >>> hsv = keras.ops.image.rgb_to_hsv([[[0.0, 1.0, 0.0]]])
    >>> [round(v, 4) for v in keras.ops.convert_to_numpy(hsv).ravel().tolist()]
    [0.3333, 1.0, 1.0]

    Reference: Smith, 1978, "Color Gamut Transform Pairs".
    """
    images = ops.convert_to_tensor(images)
    (r, g, b), axis = _planes("rgb_to_hsv", images, data_format)
    native = dtypes.as_numpy_dtype(ops.dtype(images))
    limits: Any = finfo(native)  # type: ignore[no-untyped-call]
    resolution = float(limits.eps)
    r, g, b = (ops.where(ops.less(ops.abs(x), resolution), 0.0, x) for x in (r, g, b))
    value = ops.maximum(ops.maximum(r, g), b)
    spread = ops.subtract(value, ops.minimum(ops.minimum(r, g), b))
    coloured, lit = ops.greater(spread, 0), ops.greater(value, 0)
    share = ops.divide(spread, ops.where(lit, value, 1.0))
    saturation = ops.where(lit, share, 0.0)
    sector = ops.multiply(6.0, ops.where(coloured, spread, 1.0))
    from_red = ops.divide(ops.subtract(g, b), sector)
    from_green = ops.add(ops.divide(ops.subtract(b, r), sector), 2.0 / 6.0)
    from_blue = ops.add(ops.divide(ops.subtract(r, g), sector), 4.0 / 6.0)
    hue = ops.where(ops.equal(value, g), from_green, from_blue)
    hue = ops.where(ops.equal(value, r), from_red, hue)
    hue = ops.where(coloured, hue, 0.0)
    hue = ops.where(ops.less(hue, 0), ops.add(hue, 1.0), hue)
    return ops.stack([hue, saturation, value], axis=axis)


@op(tensor="images")
def hsv_to_rgb(images: Tensor, data_format: str | None = None) -> Tensor:
    """Return the colours of images given by hue, saturation and value.

    Args:
        images: A floating tensor of shape (..., H, W, 3), or (..., 3, H, W) for
            ``"channels_first"``; hues wrap at 1.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A tensor of the same shape and dtype.

    Raises:
        ShapeError: If the rank is not 3 or 4 or there are not 3 channels.
        DTypeError: If the values are not floating.

    >>> import polykeras as keras
    >>> rgb = keras.ops.image.hsv_to_rgb([[[0.0, 1.0, 1.0]]])
    >>> keras.ops.convert_to_numpy(rgb).ravel().tolist()
    [1.0, 0.0, 0.0]
    """
    images = ops.convert_to_tensor(images)
    (hue, saturation, value), axis = _planes("hsv_to_rgb", images, data_format)
    sector = ops.multiply(ops.mod(hue, 1.0), 6.0)

    def distance(centre: float) -> Tensor:
        return ops.abs(ops.subtract(sector, centre))

    shares = (
        ops.subtract(distance(3.0), 1.0),
        ops.subtract(2.0, distance(2.0)),
        ops.subtract(2.0, distance(4.0)),
    )
    grey = ops.subtract(1.0, saturation)
    colours = []
    for share in shares:
        pure = ops.multiply(saturation, ops.clip(share, 0.0, 1.0))
        colours.append(ops.multiply(value, ops.add(grey, pure)))
    return ops.stack(colours, axis=axis)
