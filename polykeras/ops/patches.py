"""Cutting images into blocks and putting them together again (channels first)."""

from __future__ import annotations

from typing import Any

import numpy as np

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.ops._declare import op
from polykeras.ops._window_geometry import dilated, per_axis, window_sizes

__all__ = ["fold", "unfold"]

_IMAGE_AXES = 4
_COLUMN_AXES = 3


def _pair(name: str, what: str, value: Any) -> tuple[int, int]:
    if value == 0:
        return 0, 0
    if isinstance(value, tuple | list) and 0 in value and len(value) == len("hw"):
        return int(value[0]), int(value[1])
    height, width = per_axis(name, what, value, 2)
    return height, width


def _settings(
    name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> tuple[tuple[int, int], ...]:
    return (
        _pair(name, "kernel_size", kernel_size),
        _pair(name, "dilation", dilation),
        _pair(name, "padding", padding),
        _pair(name, "stride", stride),
    )


@op(common="x")
def unfold(
    x: Tensor,
    kernel_size: int | tuple[int, int],
    dilation: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
    """Return every window of a batch of images as a column.

    Args:
        x: ``(B, C, H, W)``.
        kernel_size: Height and width of a window.
        dilation: Distance between the cells of a window.
        padding: Zeros added on both sides of each axis.
        stride: Distance between windows.

    Returns:
        ``(B, C * kernel height * kernel width, windows)``.

    Raises:
        ShapeError: If `x` has not 4 axes, or a window exceeds the image.

    >>> import polykeras as keras
    >>> keras.ops.unfold(keras.ops.ones((1, 2, 4, 4)), 2).shape
    (1, 8, 9)
    """
    x = ops.convert_to_tensor(x)
    window, spans, pad, steps = _settings(
        "unfold", kernel_size, dilation, padding, stride
    )
    if len(x.shape) != _IMAGE_AXES:
        raise ShapeError(
            "polykeras.ops.unfold expected images of shape (batch, channels, height, "
            f"width), got shape {tuple(x.shape)}."
        )
    batch, channels, *sizes = x.shape
    pairs = tuple((p, p) for p in pad)
    windows = window_sizes("unfold", sizes, window, steps, pairs, spans)
    if any(pad):
        x = ops.pad(x, ((0, 0), (0, 0), *pairs))
    parts = []
    for i in range(window[0]):
        for j in range(window[1]):
            rows = _run(i * spans[0], windows[0], steps[0])
            columns = _run(j * spans[1], windows[1], steps[1])
            part = ops.get_item(x, (slice(None), slice(None), rows, columns))
            parts.append(ops.reshape(part, (batch, channels, 1, -1)))
    columns_first = ops.concatenate(parts, axis=2)
    count = channels * window[0] * window[1]
    return ops.reshape(columns_first, (batch, count, windows[0] * windows[1]))


def _run(start: int, count: int, step: int) -> slice:
    return slice(start, start + (count - 1) * step + 1, step)


@op(common="x")
def fold(
    x: Tensor,
    output_size: int | tuple[int, int],
    kernel_size: int | tuple[int, int],
    dilation: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
    """Sum columns of windows into images: the adjoint of `unfold`.

    Args:
        x: ``(B, C * kernel height * kernel width, windows)``.
        output_size: Height and width of the images.
        kernel_size: Height and width of a window.
        dilation: Distance between the cells of a window.
        padding: Cells cropped from both sides of each axis.
        stride: Distance between windows.

    Returns:
        ``(B, C, *output_size)``.

    Raises:
        ShapeError: If `x` has not 3 axes, or another number of windows.

    >>> import polykeras as keras
    >>> keras.ops.fold(keras.ops.ones((1, 8, 9)), (4, 4), 2).shape
    (1, 2, 4, 4)
    """
    x = ops.convert_to_tensor(x)
    size = _pair("fold", "output_size", output_size)
    window, spans, pad, steps = _settings(
        "fold", kernel_size, dilation, padding, stride
    )
    if len(x.shape) != _COLUMN_AXES or x.shape[1] % (window[0] * window[1]):
        raise ShapeError(
            "polykeras.ops.fold expected columns of shape (batch, channels * "
            f"{window[0]} * {window[1]}, windows), got shape {tuple(x.shape)}."
        )
    pairs = tuple((p, p) for p in pad)
    windows = window_sizes("fold", size, window, steps, pairs, spans)
    if windows[0] * windows[1] != x.shape[2]:
        raise ShapeError(
            f"polykeras.ops.fold expected {windows[0]} x {windows[1]} windows for the "
            f"output size {size}, got shape {tuple(x.shape)}."
        )
    batch = x.shape[0]
    channels = x.shape[1] // (window[0] * window[1])
    # A transposed convolution whose kernel sends each window's cell to its place.
    cells = window[0] * window[1]
    kernel = np.eye(cells, dtype="int32").reshape(*window, 1, cells)
    by_channel = ops.reshape(x, (batch * channels, cells, *windows))
    by_channel = ops.transpose(by_channel, (0, 2, 3, 1))
    crop = tuple(
        (p, p - (n + 2 * p - dilated(k, d)) % s)
        for n, k, s, d, p in zip(size, window, steps, spans, pad, strict=True)
    )
    kernel_tensor = ops.cast(kernel, ops.dtype(x))
    image = ops.conv_general_transpose(by_channel, kernel_tensor, 1, steps, crop, spans)
    return ops.cast(ops.reshape(image, (batch, channels, *size)), ops.dtype(x))
