"""Convolutions over 1 to 3 spatial axes, as users call them."""

from __future__ import annotations

from polykeras import config, ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.ops._declare import op
from polykeras.ops._window_geometry import (
    check_rank,
    per_axis,
    resolve_padding,
    transpose_padding,
)
from polykeras.ops.windows import checked, conv_general, conv_general_transpose

__all__ = ["conv", "conv_transpose", "depthwise_conv", "separable_conv"]


def channels_to_last(x: Tensor) -> Tensor:
    """Return ``(B, C, *sizes)`` as ``(B, *sizes, C)``."""
    return ops.transpose(x, (0, *range(2, len(x.shape)), 1))


def channels_to_first(x: Tensor) -> Tensor:
    """Return ``(B, *sizes, C)`` as ``(B, C, *sizes)``."""
    rank = len(x.shape)
    return ops.transpose(x, (0, rank - 1, *range(1, rank - 1)))


def _need_kernel(name: str, what: str, rank: int, kernel: Tensor) -> None:
    if len(kernel.shape) != rank + 2:
        raise ShapeError(
            f"polykeras.ops.{name} expected {what} with {rank + 2} axes ({rank} "
            f"spatial), got shape {tuple(kernel.shape)}."
        )


@op(inexact="inputs kernel")
def conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
) -> Tensor:
    """Slide a kernel over signals, images or volumes and sum the products.

    The kernel is not flipped. A kernel with fewer channels than the inputs makes a
    grouped convolution with ``C / kernel channels`` groups.

    Args:
        inputs: ``(B, *sizes, C)`` with 1 to 3 spatial axes, or ``(B, C, *sizes)``
            for ``data_format="channels_first"``.
        kernel: ``(*window, C / groups, F)``.
        strides: Step of the window, one int or one per spatial axis.
        padding: ``"valid"`` (none) or ``"same"`` (as many windows as ``size / stride``
            rounded up).
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        dilation_rate: Distance between the kernel's cells.

    Returns:
        ``(B, *windows, F)`` in the same data format.

    Raises:
        ShapeError: If ranks or channels do not fit, or a window exceeds the input.
        ArgumentError: If strides, padding or dilation are not allowed values.

    >>> import polykeras as keras
    >>> keras.ops.conv(keras.ops.ones((1, 5, 5, 3)), keras.ops.ones((3, 3, 3, 8))).shape
    (1, 3, 3, 8)
    """
    inputs = ops.convert_to_tensor(inputs)
    kernel = ops.convert_to_tensor(kernel)
    rank = check_rank("conv", inputs.shape)
    _need_kernel("conv", "a kernel", rank, kernel)
    steps = per_axis("conv", "strides", strides, rank)
    spans = per_axis("conv", "dilation_rate", dilation_rate, rank)
    first = config.standardize_data_format(data_format) == "channels_first"
    x = channels_to_last(inputs) if first else inputs
    window = tuple(kernel.shape[:-2])
    pad = resolve_padding("conv", padding, x.shape[1:-1], window, steps, spans)
    out = checked(conv_general, x, kernel, steps, pad, spans)
    return channels_to_first(out) if first else out


@op(inexact="inputs kernel")
def conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    output_padding: int | tuple[int, ...] | None = None,
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
) -> Tensor:
    """Spread a kernel, weighted by each cell of the inputs, over a larger grid.

    This is the adjoint of `conv` with the same kernel, strides and padding.

    Args:
        inputs: ``(B, *sizes, C)``, or ``(B, C, *sizes)`` for ``"channels_first"``.
        kernel: ``(*window, F, C)``.
        strides: Distance between the places where neighbouring cells go.
        padding: ``"valid"`` or ``"same"``, which gives ``size * stride`` cells.
        output_padding: Cells added at the end of each axis; None chooses them.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        dilation_rate: Distance between the kernel's cells.

    Returns:
        ``(B, *sizes, F)`` in the same data format.

    Raises:
        ShapeError: If ranks or channels do not fit.
        ArgumentError: If an argument is not an allowed value.

    Reference: Zeiler et al., 2010, "Deconvolutional Networks".

    >>> import polykeras as keras
    >>> x, kernel = keras.ops.ones((1, 4, 4, 3)), keras.ops.ones((3, 3, 8, 3))
    >>> keras.ops.conv_transpose(x, kernel, strides=2, padding="same").shape
    (1, 8, 8, 8)
    """
    inputs = ops.convert_to_tensor(inputs)
    kernel = ops.convert_to_tensor(kernel)
    rank = check_rank("conv_transpose", inputs.shape)
    _need_kernel("conv_transpose", "a kernel", rank, kernel)
    steps = per_axis("conv_transpose", "strides", strides, rank)
    spans = per_axis("conv_transpose", "dilation_rate", dilation_rate, rank)
    extra = output_padding
    if isinstance(extra, int):
        extra = (extra,) * rank
    first = config.standardize_data_format(data_format) == "channels_first"
    x = channels_to_last(inputs) if first else inputs
    crop = transpose_padding(
        "conv_transpose", padding, kernel.shape[:-2], steps, spans, extra
    )
    out = checked(conv_general_transpose, x, kernel, 1, steps, crop, spans)
    return channels_to_first(out) if first else out


@op(inexact="inputs kernel")
def depthwise_conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
) -> Tensor:
    """Convolve every channel with kernels of its own.

    Args:
        inputs: ``(B, *sizes, C)``, or ``(B, C, *sizes)`` for ``"channels_first"``.
        kernel: ``(*window, C, M)``: M kernels for each channel.
        strides: Step of the window.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        dilation_rate: Distance between the kernel's cells.

    Returns:
        ``(B, *windows, C * M)``; filter ``c * M + m`` belongs to channel ``c``.

    Raises:
        ShapeError: If ranks or channels do not fit.

    >>> import polykeras as keras
    >>> x, kernel = keras.ops.ones((1, 5, 5, 3)), keras.ops.ones((3, 3, 3, 2))
    >>> keras.ops.depthwise_conv(x, kernel).shape
    (1, 3, 3, 6)
    """
    inputs = ops.convert_to_tensor(inputs)
    kernel = ops.convert_to_tensor(kernel)
    rank = check_rank("depthwise_conv", inputs.shape)
    _need_kernel("depthwise_conv", "a kernel", rank, kernel)
    first = config.standardize_data_format(data_format) == "channels_first"
    channels = inputs.shape[1 if first else -1]
    *window, expected, multiplier = kernel.shape
    if channels != expected:
        raise ShapeError(
            f"polykeras.ops.depthwise_conv expected inputs with {expected} channels, "
            f"as axis -2 of the kernel {tuple(kernel.shape)} says, got shape "
            f"{tuple(inputs.shape)}."
        )
    grouped = ops.reshape(kernel, (*window, 1, channels * multiplier))
    return conv(inputs, grouped, strides, padding, data_format, dilation_rate)


@op(inexact="inputs depthwise_kernel pointwise_kernel")
def separable_conv(
    inputs: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
) -> Tensor:
    """Convolve every channel by itself, then mix the channels at each place.

    Args:
        inputs: ``(B, *sizes, C)``, or ``(B, C, *sizes)`` for ``"channels_first"``.
        depthwise_kernel: ``(*window, C, M)``.
        pointwise_kernel: ``(1, ..., C * M, F)``.
        strides: Step of the window of the first convolution.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        dilation_rate: Distance between the first kernel's cells.

    Returns:
        ``(B, *windows, F)`` in the same data format.

    Reference: Chollet, 2017, "Xception: Deep Learning with Depthwise Separable
    Convolutions".

    >>> import polykeras as keras
    >>> x, pointwise = keras.ops.ones((1, 8, 3)), keras.ops.ones((1, 6, 4))
    >>> keras.ops.separable_conv(x, keras.ops.ones((3, 3, 2)), pointwise).shape
    (1, 6, 4)
    """
    mixed = depthwise_conv(
        inputs, depthwise_kernel, strides, padding, data_format, dilation_rate
    )
    return conv(mixed, pointwise_kernel, 1, "valid", data_format)
