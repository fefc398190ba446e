"""Changing the size of images by separable interpolation.

Each axis is a product with a matrix of interpolation weights, so derivatives,
devices and compilation are those of `matmul`. Pixel centres are at halves.

Reference: Keys, 1981, "Cubic Convolution Interpolation for Digital Image
Processing" (a = -1/2); Duchon, 1979, "Lanczos Filtering in One and Two Dimensions".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from polykeras import config, dtypes, ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._declare import op
from polykeras.ops._shapes import canonical_axis
from polykeras.ops.image._layout import (
    check_choice,
    check_images,
    is_channels_last,
    spatial,
)

__all__ = ["resize", "scale_and_translate"]

# Filters and weights are written once for NumPy (sizes known: the weights are
# constants) and for ops (scales are tensors); both offer the functions used here.
Namespace = Any
Filter = Callable[[Namespace, Any], Any]


def _triangle(xp: Namespace, x: Any) -> Any:
    return xp.maximum(xp.subtract(1.0, x), 0.0)


def _polynomial(xp: Namespace, x: Any, coefficients: Sequence[float]) -> Any:
    total: Any = coefficients[0]
    for c in coefficients[1:]:
        total = xp.add(xp.multiply(total, x), c)
    return total


def _keys_cubic(xp: Namespace, x: Any) -> Any:
    near = _polynomial(xp, x, (1.5, -2.5, 0.0, 1.0))
    far = _polynomial(xp, x, (-0.5, 2.5, -4.0, 2.0))
    beyond = xp.greater_equal(x, 2.0)
    return xp.where(beyond, 0.0, xp.where(xp.greater_equal(x, 1.0), far, near))


def _lanczos(radius: float) -> Filter:
    def weigh(xp: Namespace, x: Any) -> Any:
        away = xp.greater(x, 1e-3)
        angle = xp.multiply(xp.where(away, x, 1.0), math.pi)
        wave = xp.multiply(xp.sin(angle), xp.sin(xp.divide(angle, radius)))
        wave = xp.divide(xp.multiply(wave, radius), xp.square(angle))
        return xp.where(xp.greater(x, radius), 0.0, xp.where(away, wave, 1.0))

    return weigh


_FILTERS: dict[str, Filter] = {
    "bilinear": _triangle,
    "bicubic": _keys_cubic,
    "lanczos3": _lanczos(3.0),
    "lanczos5": _lanczos(5.0),
}
_ALIASES = {"linear": "bilinear", "trilinear": "bilinear"} | {
    "cubic": "bicubic",
    "tricubic": "bicubic",
}


def _weights(
    xp: Namespace,
    size: int,
    new_size: int,
    scale: Any,
    translation: Any,
    weigh: Filter,
    antialias: bool,
    dtype: Any,
) -> Any:
    """Return the (new_size, size) matrix that resamples one axis."""
    inverse = xp.divide(1.0, scale)
    centres = xp.multiply(xp.add(xp.arange(new_size, dtype=dtype), 0.5), inverse)
    shift = xp.add(xp.multiply(translation, inverse), 0.5)
    centres = xp.expand_dims(xp.subtract(centres, shift), 1)
    grid = xp.expand_dims(xp.arange(size, dtype=dtype), 0)
    distance = xp.abs(xp.subtract(centres, grid))
    if antialias:
        distance = xp.divide(distance, xp.maximum(inverse, 1.0))
    weights = weigh(xp, distance)
    total = xp.sum(weights, axis=1, keepdims=True)
    resolved = xp.greater(xp.abs(total), _UNRESOLVED)
    normal = xp.divide(weights, xp.where(resolved, total, 1.0))
    inside = xp.logical_and(
        xp.greater_equal(centres, -0.5), xp.less_equal(centres, size - 0.5)
    )
    return xp.where(xp.logical_and(resolved, inside), normal, 0.0)


# A sum of weights this small is rounding noise: nothing of the image is near.
_UNRESOLVED = 1000 * float(np.finfo(np.float32).eps)


def _along(x: Tensor, axis: int, weights: Any) -> Tensor:
    """Multiply one axis by a matrix."""
    shape = tuple(x.shape)
    lead = int(np.prod(shape[:axis], dtype=np.int64))
    trail = int(np.prod(shape[axis + 1 :], dtype=np.int64))
    flat = ops.reshape(x, (lead, shape[axis], trail))
    new = ops.matmul(weights, flat)
    return ops.reshape(new, (*shape[:axis], weights.shape[0], *shape[axis + 1 :]))


# -- resize ----------------------------------------------------------------------

_INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


@op(tensor="images")
def resize(
    images: Tensor,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Return images of another height and width.

    Args:
        images: A tensor of shape (..., H, W, C), or (..., C, H, W) for
            ``"channels_first"``, with or without a batch axis.
        size: The new height and width.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"lanczos3"``
            or ``"lanczos5"``.
        antialias: Whether to widen the filter when an axis shrinks.
        crop_to_aspect_ratio: Whether to cut the middle out first, so that shapes
            are not distorted.
        pad_to_aspect_ratio: Whether to add borders first, to the same end.
        fill_mode: How borders are filled; ``"constant"`` is the only way.
        fill_value: The value of borders.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A tensor of the dtype of `images`; integers are rounded and kept in range.

    Raises:
        ShapeError: If the rank is not 3 or 4.
        ArgumentError: If another argument has a value that is not allowed.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((1, 4, 4, 3))
    >>> tuple(keras.ops.image.resize(x, (2, 6)).shape)
    (1, 2, 6, 3)
    """
    images = ops.convert_to_tensor(images)
    target, last = _checked(
        images,
        size,
        interpolation,
        crop_to_aspect_ratio and pad_to_aspect_ratio,
        fill_mode,
        data_format,
    )
    axes = spatial(images, last)
    if crop_to_aspect_ratio:
        images = _cropped(images, axes, target)
    elif pad_to_aspect_ratio:
        images = _padded(images, axes, target, fill_value)
    if interpolation == "nearest":
        return _nearest(images, axes, target)
    original = ops.dtype(images)
    name = dtypes.to_inexact(original, config.floatx())
    images = ops.cast(images, name)
    for axis, new in zip(axes, target, strict=True):
        old = images.shape[axis]
        if old != new:
            weights = _weights(
                np, old, new, new / old, 0.0, _FILTERS[interpolation], antialias, float
            )
            images = _along(images, axis, ops.cast(weights.astype(_NARROW[name]), name))
    if name == original:
        return images
    return ops.saturate_cast(ops.round(images), original)


def _checked(
    images: Tensor,
    size: Any,
    interpolation: str,
    crop_and_pad: bool,
    fill_mode: str,
    data_format: str | None,
) -> tuple[tuple[int, int], bool]:
    """Return the new height and width, and whether channels come last.

    Raises:
        ShapeError, ArgumentError: As `resize` says.
    """
    last = is_channels_last("resize", data_format)
    check_images("resize", images)
    check_choice("resize", "interpolation", interpolation, _INTERPOLATIONS)
    check_choice("resize", "fill_mode", fill_mode, ("constant",))
    if crop_and_pad:
        raise ArgumentError(
            "polykeras.ops.image.resize can crop or pad to the aspect ratio, not both."
        )
    sizes: tuple[int, ...] = tuple(size)
    if len(sizes) != 2 or min(sizes) < 1:
        raise ArgumentError(
            "polykeras.ops.image.resize expected size to be a positive height and "
            f"width, got {size!r}."
        )
    return (int(sizes[0]), int(sizes[1])), last


@resize.prepare
def _(
    images: Tensor,
    size: Any,
    interpolation: str,
    antialias: bool,
    crop: bool,
    pad: bool,
    fill_mode: str,
    fill_value: float,
    data_format: str | None,
) -> tuple[Any, ...]:
    target, last = _checked(
        images, size, interpolation, crop and pad, fill_mode, data_format
    )
    layout = "channels_last" if last else "channels_first"
    options = (antialias, crop, pad, fill_mode, fill_value, layout)
    return images, target, interpolation, *options


# Weights are computed in float64 and rounded once.
_NARROW: dict[str, Any] = {
    **dict.fromkeys((*dtypes.FLOATS, "complex64"), np.float32),
    "float64": np.float64,
    "complex128": np.float64,
}


def _same_ratio(
    images: Tensor, axes: tuple[int, ...], target: tuple[int, int]
) -> tuple[int, int]:
    """Return the height that fits the width, and the width that fits the height."""
    height, width = (images.shape[i] for i in axes)
    return width * target[0] // target[1], height * target[1] // target[0]


def _cropped(images: Tensor, axes: tuple[int, ...], target: tuple[int, int]) -> Tensor:
    key = [slice(None)] * len(images.shape)
    for axis, fitting in zip(axes, _same_ratio(images, axes, target), strict=True):
        size = images.shape[axis]
        kept = max(min(size, fitting), 1)
        start = (size - kept) // 2
        key[axis] = slice(start, start + kept)
    return images[tuple(key)]


def _padded(
    images: Tensor, axes: tuple[int, ...], target: tuple[int, int], value: float
) -> Tensor:
    widths = [(0, 0)] * len(images.shape)
    for axis, fitting in zip(axes, _same_ratio(images, axes, target), strict=True):
        border = max(fitting - images.shape[axis], 0) // 2
        widths[axis] = (border, border)
    return ops.pad(images, widths, mode="constant", constant_values=value)


def _nearest(images: Tensor, axes: tuple[int, ...], target: tuple[int, int]) -> Tensor:
    for axis, new in zip(axes, target, strict=True):
        old = images.shape[axis]
        if old != new:
            index = (2 * np.arange(new, dtype=np.int64) + 1) * old // (2 * new)
            images = ops.take(images, index.astype(np.int32), axis=axis)
    return images


# -- scale and translate ---------------------------------------------------------

_METHODS = (*_FILTERS, *_ALIASES)


@op(tensor="images")
def scale_and_translate(
    images: Tensor,
    output_shape: Sequence[int],
    scale: Tensor,
    translation: Tensor,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Return images whose chosen axes are scaled and shifted.

    A value at position x moves to ``scale * x + translation``. What comes from
    outside of the image is 0.

    Args:
        images: A tensor of any shape.
        output_shape: The shape of the result; axes that are not spatial keep
            their size.
        scale: One factor for each spatial axis.
        translation: One shift for each spatial axis.
        spatial_dims: The axes to scale.
        method: ``"linear"`` (also ``"bilinear"``, ``"trilinear"``), ``"cubic"``
            (also ``"bicubic"``, ``"tricubic"``), ``"lanczos3"`` or ``"lanczos5"``.
        antialias: Whether to widen the filter when an axis shrinks.

    Returns:
        A floating tensor of shape `output_shape`.

    Raises:
        ArgumentError: If `method` is unknown.
        ShapeError: If the arguments' sizes do not fit each other.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((4, 4))
    >>> y = keras.ops.image.scale_and_translate(
    ...     x, (8, 8), [2.0, 2.0], [0.0, 0.0], (0, 1), "linear"
    ... )
    >>> tuple(y.shape)
    (8, 8)
    """
    images = ops.convert_to_tensor(images)
    name = dtypes.to_inexact(ops.dtype(images), config.floatx())
    images = ops.cast(images, name)
    check_choice("scale_and_translate", "method", method, _METHODS)
    scale, translation = ops.cast(scale, name), ops.cast(translation, name)
    rank = len(images.shape)
    axes = [canonical_axis("scale_and_translate", i, rank) for i in spatial_dims]
    given = tuple(scale.shape), tuple(translation.shape)
    if len(output_shape) != rank or given != ((len(axes),),) * 2:
        raise ShapeError(
            "polykeras.ops.image.scale_and_translate expected an output_shape of "
            f"{rank} sizes and {len(axes)} scales and translations, got "
            f"{tuple(output_shape)} and the shapes {given[0]} and {given[1]}."
        )
    weigh = _FILTERS[_ALIASES.get(method, method)]
    for i, axis in enumerate(axes):
        weights = _weights(
            ops,
            images.shape[axis],
            int(output_shape[axis]),
            scale[i],
            translation[i],
            weigh,
            antialias,
            name,
        )
        images = _along(images, axis, weights)
    return images
