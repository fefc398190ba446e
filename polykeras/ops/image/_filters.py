"""Smoothing, edges, and similarity of neighbourhoods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polykeras import config, dtypes, ops
from polykeras.backend import Array, Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._declare import op
from polykeras.ops.image._layout import check_images, is_channels_last, spatial

__all__ = ["gaussian_blur", "sobel_edges", "ssim"]


def _gaussian(size: int, sigma: float) -> Array:
    """Return a Gaussian at `size` points around its middle, with sum 1."""
    x = np.arange(size) - (size - 1) / 2
    values: Array = np.exp(-0.5 * (x / sigma) ** 2)
    values /= values.sum()
    return values


def _correlated(x: Tensor, axis: int, weights: Array, same: bool) -> Tensor:
    """Slide weights along one axis, with zeros outside if `same`."""
    n, k = x.shape[axis], len(weights)
    if same:
        widths = [(0, 0)] * len(x.shape)
        widths[axis] = ((k - 1) // 2, k // 2)
        x = ops.pad(x, widths)
    else:
        n = n - k + 1
    total: Any = None
    before = (slice(None),) * axis
    for i, weight in enumerate(weights):
        if weight == 0:
            continue
        row = ops.get_item(x, (*before, slice(i, i + n)))
        part = ops.multiply(row, float(weight))
        total = part if total is None else ops.add(total, part)
    return total


@op(tensor="images")
def gaussian_blur(
    images: Tensor,
    kernel_size: Sequence[int] = (3, 3),
    sigma: Sequence[float] = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Return images smoothed by a Gaussian, with zeros outside.

    Args:
        images: A tensor of shape (..., H, W, C), or (..., C, H, W) for
            ``"channels_first"``, with or without a batch axis.
        kernel_size: Width and height of the window.
        sigma: Standard deviation along the width and along the height.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A tensor of the shape and dtype of `images`; integers are rounded.

    Raises:
        ShapeError: If the rank is not 3 or 4.
        ArgumentError: If a size or deviation is not positive.

    >>> import polykeras as keras
    >>> tuple(keras.ops.image.gaussian_blur(keras.ops.ones((5, 5, 3))).shape)
    (5, 5, 3)
    """
    images = ops.convert_to_tensor(images)
    check_images("gaussian_blur", images)
    rows, columns = spatial(images, is_channels_last("gaussian_blur", data_format))
    sizes = tuple(int(n) for n in kernel_size)
    deviations = tuple(float(s) for s in sigma)
    if len(sizes) != 2 or len(deviations) != 2 or min(*sizes, *deviations) <= 0:
        raise ArgumentError(
            "polykeras.ops.image.gaussian_blur expected two positive sizes and two "
            f"positive deviations, got {kernel_size} and {sigma}."
        )
    original = ops.dtype(images)
    compute = dtypes.to_inexact(original, config.floatx())
    x = ops.cast(images, compute)
    x = _correlated(x, columns, _gaussian(sizes[0], deviations[0]), True)
    x = _correlated(x, rows, _gaussian(sizes[1], deviations[1]), True)
    return x if compute == original else ops.saturate_cast(ops.round(x), original)


@op(tensor="images")
def sobel_edges(images: Tensor, data_format: str | None = None) -> Tensor:
    """Return smoothed differences of neighbouring rows and columns.

    Args:
        images: A tensor of shape (..., H, W, C), or (..., C, H, W) for
            ``"channels_first"``, with or without a batch axis; zero outside.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A tensor of the shape of `images` with an axis of size 2 at the end: the
        difference downwards, and to the right.

    Raises:
        ShapeError: If the rank is not 3 or 4.

    >>> import polykeras as keras
    >>> tuple(keras.ops.image.sobel_edges(keras.ops.ones((1, 4, 4, 3))).shape)
    (1, 4, 4, 3, 2)
    """
    images = ops.convert_to_tensor(images)
    check_images("sobel_edges", images)
    rows, columns = spatial(images, is_channels_last("sobel_edges", data_format))
    smooth, slope = np.array([1.0, 2.0, 1.0]), np.array([-1.0, 0.0, 1.0])
    x = ops.cast(images, dtypes.to_inexact(ops.dtype(images), config.floatx()))
    down = _correlated(_correlated(x, columns, smooth, True), rows, slope, True)
    right = _correlated(_correlated(x, rows, smooth, True), columns, slope, True)
    return ops.stack([down, right], axis=-1)


@op(tensor="image1 image2")
def ssim(
    image1: Tensor,
    image2: Tensor,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """Return the structural similarity of images.

    Args:
        image1: A tensor of shape (..., H, W, C), or (..., C, H, W) for
            ``"channels_first"``, with or without a batch axis.
        image2: A tensor of the same shape.
        max_val: The largest value that pixels can have.
        filter_size: Size of the Gaussian window; it must fit into the images.
        filter_sigma: Standard deviation of the window.
        k1: Keeps the comparison of brightness stable near zero.
        k2: Keeps the comparison of contrast stable near zero.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A floating tensor with one value for each pair of images, 1 where they are
        equal.

    Raises:
        ShapeError: If the shapes differ, the rank is not 3 or 4, or the window
            does not fit.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((12, 12, 3))
    >>> round(float(keras.ops.image.ssim(x, x)), 4)
    1.0

    Reference: Wang et al., 2004, "Image Quality Assessment: From Error Visibility
    to Structural Similarity", equation 13.
    """
    image1, image2 = ops.convert_to_tensor(image1), ops.convert_to_tensor(image2)
    check_images("ssim", image1)
    rows, columns = spatial(image1, is_channels_last("ssim", data_format))
    shape = tuple(image1.shape)
    if shape != tuple(image2.shape) or min(shape[rows], shape[columns]) < filter_size:
        raise ShapeError(
            "polykeras.ops.image.ssim expected two tensors of one shape, at least "
            f"{filter_size} high and wide, got {shape} and {tuple(image2.shape)}."
        )
    compute = dtypes.to_inexact(ops.dtype(image1), config.floatx())
    x, y = ops.cast(image1, compute), ops.cast(image2, compute)
    window = _gaussian(filter_size, filter_sigma)

    def local(values: Tensor) -> Tensor:
        return _correlated(
            _correlated(values, columns, window, False), rows, window, False
        )

    mean_x, mean_y = local(x), local(y)
    squares = ops.add(ops.square(mean_x), ops.square(mean_y))
    product = ops.multiply(mean_x, mean_y)
    seconds = local(ops.add(ops.square(x), ops.square(y)))
    variances = ops.subtract(seconds, squares)
    covariance = ops.subtract(local(ops.multiply(x, y)), product)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2

    def twice(values: Tensor, constant: float) -> Tensor:
        return ops.add(ops.multiply(values, 2.0), constant)

    likeness = ops.divide(
        ops.multiply(twice(product, c1), twice(covariance, c2)),
        ops.multiply(ops.add(squares, c1), ops.add(variances, c2)),
    )
    return ops.mean(likeness, axis=tuple(range(len(shape) - 3, len(shape))))
