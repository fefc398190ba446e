"""Images sampled at computed positions."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from polykeras import config, dtypes, ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.ops._declare import op
from polykeras.ops.image._filters import gaussian_blur
from polykeras.ops.image._layout import check_choice, check_images, is_channels_last

__all__ = [
    "affine_transform",
    "elastic_transform",
    "map_coordinates",
    "perspective_transform",
]

_ORDERS = {"nearest": 0, "bilinear": 1}
_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


# -- the sampler -----------------------------------------------------------------


def _inside(index: Tensor, size: int, mode: str) -> Tensor:
    """Return integer positions brought into the range of an axis."""
    if mode == "wrap":
        return ops.mod(index, size)
    if mode == "mirror":
        return _mirrored(index, size)
    if mode == "reflect":
        # A reflection about edges is a mirror on a grid twice as fine.
        doubled = _mirrored(ops.add(ops.multiply(index, 2), 1), 2 * size + 1)
        halved = ops.floor_divide(ops.subtract(doubled, 1), 2)
        return ops.clip(halved, 0, size - 1)
    return ops.clip(index, 0, size - 1)


def _mirrored(index: Tensor, size: int) -> Tensor:
    last = max(size - 1, 1)
    turned = ops.mod(ops.add(index, last), 2 * last)
    folded = ops.abs(ops.subtract(turned, last))
    return ops.clip(folded, 0, size - 1)


def _neighbours(
    position: Tensor, order: int, dtype: str
) -> list[tuple[Tensor, Tensor | None]]:
    """Return the integer positions next to each position, and their weights."""
    if order == 0:
        size = ops.floor(ops.add(ops.abs(position), 0.5))
        away = ops.multiply(size, ops.sign(position))
        return [(ops.cast(away, "int32"), None)]
    below = ops.floor(position)
    upper = ops.cast(ops.subtract(position, below), dtype)
    index = ops.cast(below, "int32")
    return [(index, ops.subtract(1.0, upper)), (ops.add(index, 1), upper)]


def _sample(
    values: Tensor,
    sizes: Sequence[int],
    positions: Sequence[Tensor],
    order: int,
    mode: str,
    fill_value: Any,
    offset: Any = 0,
) -> Tensor:
    """Interpolate on a grid.

    Args:
        values: (N, ...): the grid's points in row-major order.
        sizes: The grid's size in each axis.
        positions: A float tensor for each axis, all of one shape P.
        order: 0 for the nearest point, 1 for linear interpolation.
        mode: What is outside of the grid.
        fill_value: The value outside of the grid for ``"constant"``.
        offset: Index of the first point of the grid, broadcast against P.

    Returns:
        A tensor of shape (*P, ...).
    """
    name = ops.dtype(values)
    compute = dtypes.to_inexact(name, config.floatx())
    extra = len(values.shape) - 1
    total: Any = None
    axes = [_neighbours(p, order, compute) for p in positions]
    for corner in itertools.product(*axes):
        flat: Any = offset
        weight: Any = None
        valid: Any = None
        stride = int(np.prod(sizes, dtype=np.int64))
        for (index, share), size in zip(corner, sizes, strict=True):
            stride //= size
            flat = ops.add(flat, ops.multiply(_inside(index, size, mode), stride))
            if share is not None:
                weight = share if weight is None else ops.multiply(weight, share)
            if mode == "constant":
                within = ops.logical_and(
                    ops.greater_equal(index, 0), ops.less(index, size)
                )
                valid = within if valid is None else ops.logical_and(valid, within)
        found = ops.cast(ops.take(values, flat, axis=0), compute)
        if valid is not None:
            found = ops.where(_widened(valid, extra), found, fill_value)
        if weight is not None:
            found = ops.multiply(found, _widened(weight, extra))
        total = found if total is None else ops.add(total, found)
    total = ops.cast(total, compute)
    return total if compute == name else ops.cast(ops.round(total), name)


def _widened(x: Tensor, axes: int) -> Tensor:
    return ops.reshape(x, tuple(x.shape) + (1,) * axes) if axes else x


@op(tensor="inputs")
def map_coordinates(
    inputs: Tensor,
    coordinates: Any,
    order: int,
    fill_mode: str = "constant",
    fill_value: float = 0,
) -> Tensor:
    """Return the values of a tensor at positions between its points.

    Args:
        inputs: A tensor of rank R.
        coordinates: A tensor of shape (R, ...): positions along each axis.
        order: 0 for the nearest point (halves away from zero), 1 for linear
            interpolation.
        fill_mode: What is outside: ``"constant"`` (`fill_value`), ``"nearest"``
            (the border), ``"wrap"`` (a repetition), ``"mirror"`` (a reflection
            about the centre of the last point) or ``"reflect"`` (about its edge).
        fill_value: The value outside for ``"constant"``.

    Returns:
        A tensor of shape ``coordinates.shape[1:]`` and the dtype of `inputs`.

    Raises:
        ShapeError: If the coordinates do not fit the rank.
        ArgumentError: If `order` or `fill_mode` is unknown.

    >>> import polykeras as keras
    >>> y = keras.ops.image.map_coordinates([0.0, 10.0, 20.0], [[0.5, 1.25]], 1)
    >>> keras.ops.convert_to_numpy(y).tolist()
    [5.0, 12.5]
    """
    inputs = ops.convert_to_tensor(inputs)
    if isinstance(coordinates, list | tuple):
        coordinates = ops.stack([ops.convert_to_tensor(c) for c in coordinates])
    shape, at = tuple(inputs.shape), tuple(coordinates.shape)
    if len(at) < 2 or at[0] != len(shape):
        raise ShapeError(
            "polykeras.ops.image.map_coordinates expected coordinates of shape "
            f"({len(shape)}, ...) for a tensor of shape {shape}, got shape {at}."
        )
    check_choice("map_coordinates", "fill_mode", fill_mode, _FILL_MODES)
    if order not in {0, 1}:
        raise ArgumentError(
            f"polykeras.ops.image.map_coordinates got order={order!r}. Use 0 or 1."
        )
    positions = ops.unstack(coordinates)
    flat = ops.reshape(inputs, (-1,))
    return _sample(flat, shape, positions, order, fill_mode, fill_value)


# -- transformations of the plane ------------------------------------------------


def _batched(
    name: str, images: Tensor, data_format: str | None
) -> tuple[Tensor, bool, bool]:
    """Return images as (B, H, W, C), whether there was a batch, and the layout."""
    images = ops.convert_to_tensor(images)
    last = is_channels_last(name, data_format)
    check_images(name, images)
    single = len(images.shape) == 3
    if single:
        images = ops.expand_dims(images, 0)
    if not last:
        images = ops.moveaxis(images, 1, -1)
    return images, single, last


def _restored(images: Tensor, single: bool, last: bool) -> Tensor:
    if not last:
        images = ops.moveaxis(images, -1, 1)
    return ops.squeeze(images, 0) if single else images


def _sample_plane(
    images: Tensor, y: Tensor, x: Tensor, order: int, mode: str, fill_value: Any
) -> Tensor:
    """Sample (B, H, W, C) images at (B, H, W) positions."""
    batch, height, width, channels = images.shape
    first = np.arange(batch, dtype=np.int32)[:, None, None] * (height * width)
    flat = ops.reshape(images, (batch * height * width, channels))
    return _sample(flat, (height, width), (y, x), order, mode, fill_value, first)


def _grid(height: int, width: int, dtype: str) -> tuple[Tensor, Tensor]:
    """Return row and column of each pixel, of shapes (H, 1) and (1, W)."""
    rows = ops.reshape(ops.arange(height, dtype=dtype), (height, 1))
    return rows, ops.reshape(ops.arange(width, dtype=dtype), (1, width))


def _projected(parameters: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return where the pixels of results come from.

    Args:
        parameters: (B, 8): a0, a1, a2, b0, b1, b2, c0, c1, so that x comes from
            (a0 x + a1 y + a2) / (c0 x + c1 y + 1), and y likewise from b.
        height: Rows of the result.
        width: Columns of the result.
    """
    rows, columns = _grid(height, width, ops.dtype(parameters))
    shape = (parameters.shape[0], 1, 1)
    a0, a1, a2, b0, b1, b2, c0, c1 = (
        ops.reshape(parameters[:, i], shape) for i in range(8)
    )

    def linear(of_column: Tensor, of_row: Tensor, constant: Any) -> Tensor:
        plane = ops.add(ops.multiply(of_column, columns), ops.multiply(of_row, rows))
        return ops.add(plane, constant)

    scale = linear(c0, c1, 1.0)
    return (
        ops.divide(linear(b0, b1, b2), scale),
        ops.divide(linear(a0, a1, a2), scale),
    )


@op(tensor="images")
def affine_transform(
    images: Tensor,
    transform: Tensor,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Return images whose pixels come from transformed positions.

    Args:
        images: A tensor of shape (..., H, W, C), or (..., C, H, W) for
            ``"channels_first"``, with or without a batch axis.
        transform: A tensor of shape (8,), or (B, 8) for one each: the values a0,
            a1, a2, b0, b1, b2, c0, c1. The result at column x and row y comes from
            column (a0 x + a1 y + a2) / k and row (b0 x + b1 y + b2) / k, where
            k = c0 x + c1 y + 1.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_mode: What is outside of an image; see `map_coordinates`.
        fill_value: The value outside for ``"constant"``.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A tensor of the shape and dtype of `images`.

    Raises:
        ShapeError: If a rank or size does not fit.
        ArgumentError: If another argument has a value that is not allowed.

    >>> import polykeras as keras
    >>> x = keras.ops.reshape(keras.ops.arange(4, dtype="float32"), (2, 2, 1))
    >>> y = keras.ops.image.affine_transform(x, [1.0, 0, 1, 0, 1, 0, 0, 0])
    >>> keras.ops.convert_to_numpy(y).ravel().tolist()
    [1.0, 0.0, 3.0, 0.0]
    """
    name = "affine_transform"
    check_choice(name, "interpolation", interpolation, tuple(_ORDERS))
    check_choice(name, "fill_mode", fill_mode, _FILL_MODES)
    images, single, last = _batched(name, images, data_format)
    transform = _floating(transform)
    if len(transform.shape) == 1:
        transform = ops.expand_dims(transform, 0)
    batch, height, width, _ = images.shape
    if tuple(transform.shape) not in {(1, 8), (batch, 8)}:
        raise ShapeError(
            "polykeras.ops.image.affine_transform expected 8 values, or 8 for each of "
            f"the {batch} images, got shape {tuple(transform.shape)}."
        )
    transform = ops.broadcast_to(transform, (batch, 8))
    y, x = _projected(transform, height, width)
    order = _ORDERS[interpolation]
    found = _sample_plane(images, y, x, order, fill_mode, fill_value)
    return _restored(found, single, last)


def _floating(x: Any) -> Tensor:
    x = ops.convert_to_tensor(x)
    return ops.cast(x, dtypes.to_inexact(ops.dtype(x), config.floatx()))


@op(tensor="images")
def perspective_transform(
    images: Tensor,
    start_points: Tensor,
    end_points: Tensor,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Return images seen so that four points move to four others.

    Args:
        images: A tensor of shape (..., H, W, C), or (..., C, H, W) for
            ``"channels_first"``, with or without a batch axis.
        start_points: A tensor of shape (4, 2), or (B, 4, 2): column and row of
            four points of the image.
        end_points: Where they are in the result, of the same shape.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_value: The value outside of an image.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A tensor of the shape and dtype of `images`.

    Raises:
        ShapeError: If a rank or size does not fit.
        ArgumentError: If another argument has a value that is not allowed.

    >>> import polykeras as keras
    >>> corners = [[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [3.0, 3.0]]
    >>> x = keras.ops.ones((4, 4, 1))
    >>> tuple(keras.ops.image.perspective_transform(x, corners, corners).shape)
    (4, 4, 1)

    Reference: Hartley and Zisserman, 2004, "Multiple View Geometry in Computer
    Vision", section 4.1.
    """
    name = "perspective_transform"
    check_choice(name, "interpolation", interpolation, tuple(_ORDERS))
    images, single, last = _batched(name, images, data_format)
    start, end = _floating(start_points), _floating(end_points)
    batch, height, width, _ = images.shape
    allowed = {(4, 2), (1, 4, 2), (batch, 4, 2)}
    if tuple(start.shape) != tuple(end.shape) or tuple(start.shape) not in allowed:
        raise ShapeError(
            "polykeras.ops.image.perspective_transform expected start_points and "
            f"end_points of shape (4, 2) or ({batch}, 4, 2), got "
            f"{tuple(start.shape)} and {tuple(end.shape)}."
        )
    start = ops.broadcast_to(ops.reshape(start, (-1, 4, 2)), (batch, 4, 2))
    end = ops.broadcast_to(ops.reshape(end, (-1, 4, 2)), (batch, 4, 2))
    y, x = _projected(_homography(end, start), height, width)
    found = _sample_plane(images, y, x, _ORDERS[interpolation], "constant", fill_value)
    return _restored(found, single, last)


def _homography(source: Tensor, target: Tensor) -> Tensor:
    """Return (B, 8) parameters that send (B, 4, 2) points to others."""
    x, y = source[..., 0], source[..., 1]
    u, v = target[..., 0], target[..., 1]
    one, zero = ops.ones_like(x), ops.zeros_like(x)
    plane, absent = [x, y, one], [zero, zero, zero]

    def equations(before: list[Tensor], after: list[Tensor], w: Tensor) -> Tensor:
        projective = [ops.negative(ops.multiply(w, p)) for p in (x, y)]
        return ops.stack([*before, *after, *projective], axis=-1)

    of_u, of_v = equations(plane, absent, u), equations(absent, plane, v)
    system = ops.concatenate([of_u, of_v], axis=1)
    return ops.solve(system, ops.concatenate([u, v], axis=-1))


@op(tensor="images")
def elastic_transform(
    images: Tensor,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Return images distorted by a smooth random displacement.

    Args:
        images: A tensor of shape (..., H, W, C), or (..., C, H, W) for
            ``"channels_first"``, with or without a batch axis.
        alpha: Strength of the displacement.
        sigma: Width in pixels of the Gaussian that smooths it, and the scale of
            the noise before.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_mode: What is outside of an image; see `map_coordinates`.
        fill_value: The value outside for ``"constant"``.
        seed: An integer or a `polykeras.random.SeedGenerator`; None draws from the
            global generator.
        data_format: Where the channels are; None means
            `polykeras.config.image_data_format()`.

    Returns:
        A tensor of the shape and dtype of `images`.

    Raises:
        ShapeError: If the rank is not 3 or 4.
        ArgumentError: If another argument has a value that is not allowed.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((8, 8, 3))
    >>> tuple(keras.ops.image.elastic_transform(x, seed=1).shape)
    (8, 8, 3)

    Reference: Simard et al., 2003, "Best Practices for Convolutional Neural
    Networks Applied to Visual Document Analysis", section 2.
    """
    name = "elastic_transform"
    check_choice(name, "interpolation", interpolation, tuple(_ORDERS))
    check_choice(name, "fill_mode", fill_mode, _FILL_MODES)
    images, single, last = _batched(name, images, data_format)
    batch, height, width, _ = images.shape
    compute = dtypes.to_inexact(ops.dtype(images), config.floatx())
    # Distributions stand on ops, so they are looked up when they are needed.
    random = importlib.import_module("polykeras.random")
    noise = random.normal(
        (batch, height, width, 2), stddev=sigma, dtype=compute, seed=seed
    )
    width_of_kernel = int(6 * sigma) | 1
    smooth = gaussian_blur(
        noise, (width_of_kernel,) * 2, (sigma, sigma), data_format="channels_last"
    )
    rows, columns = _grid(height, width, compute)
    y = ops.add(rows, ops.multiply(alpha, smooth[..., 0]))
    x = ops.add(columns, ops.multiply(alpha, smooth[..., 1]))
    order = _ORDERS[interpolation]
    found = _sample_plane(images, y, x, order, fill_mode, fill_value)
    return _restored(found, single, last)
