"""The primitives under convolution and pooling, for authors of backends.

Users call `conv`, `max_pool` and their relatives, which turn data formats and
padding words into the one form here: channels last, one stride, dilation and pair
``(before, after)`` of padding per spatial axis. A negative number of padding cells
crops. Groups follow from the channels: a kernel ``(*window, C / groups, F)`` on
inputs ``(B, *sizes, C)``.

Convolution is trilinear in inputs, kernel and the cotangent of its outputs, so
`conv_general`, `conv_general_transpose` and `conv_general_kernel` are each other's
derivatives to any order. The pools come with their own adjoints likewise.
"""

from __future__ import annotations

from typing import Any

from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import primitive
from polykeras.ops._window_geometry import (
    Padding,
    adjusted_padding,
    check_rank,
    transposed_sizes,
    window_sizes,
)

__all__ = [
    "checked",
    "conv_general",
    "conv_general_kernel",
    "conv_general_transpose",
    "pool_max",
    "pool_max_pick",
    "pool_max_spread",
    "pool_mean",
    "pool_mean_spread",
]

Ints = tuple[int, ...]


def checked(fn: Any, *args: Any) -> Tensor:
    """Apply a primitive after its own shape rule, where libraries are lenient."""
    rule = fn.op.abstract_rule
    rule(*(Spec(x.shape, "") if hasattr(x, "shape") else x for x in args))
    return fn(*args)


def _groups(op: str, channels: int, kernel: tuple[int, ...]) -> int:
    if kernel[-2] < 1 or channels % kernel[-2] or kernel[-1] % (channels // kernel[-2]):
        raise ShapeError(
            f"polykeras.ops.{op} expected input channels divisible by the kernel's "
            f"(axis -2), and filters (axis -1) divisible by their quotient, the number "
            f"of groups; got {channels} channels and a kernel of shape {kernel}."
        )
    return channels // kernel[-2]


def _check_kernel(op: str, rank: int, kernel: tuple[int, ...]) -> None:
    if len(kernel) != rank + 2:
        raise ShapeError(
            f"polykeras.ops.{op} expected a kernel with {rank + 2} axes, {rank} "
            f"spatial ones, input channels and filters, got shape {kernel}."
        )


# -- convolution -------------------------------------------------------------------


@primitive(inexact="inputs kernel")
def conv_general(
    inputs: Tensor, kernel: Tensor, strides: Ints, padding: Padding, dilation: Ints
) -> Tensor:
    """Return the cross-correlation of inputs with a kernel, everything explicit.

    Args:
        inputs: ``(B, *sizes, C)``.
        kernel: ``(*window, C / groups, F)``.
        strides: One per spatial axis.
        padding: ``(before, after)`` per spatial axis; negative numbers crop.
        dilation: One per spatial axis.

    Returns:
        ``(B, *windows, F)``.
    """


@conv_general.abstract
def _(
    inputs: Spec, kernel: Spec, strides: Ints, padding: Padding, dilation: Ints
) -> Spec:
    rank = check_rank("conv", inputs.shape)
    _check_kernel("conv", rank, kernel.shape)
    _groups("conv", inputs.shape[-1], kernel.shape)
    windows = window_sizes(
        "conv", inputs.shape[1:-1], kernel.shape[:-2], strides, padding, dilation
    )
    return Spec((inputs.shape[0], *windows, kernel.shape[-1]), inputs.dtype)


@conv_general.vjp("inputs")
def _(
    g: Tensor,
    out: Tensor,
    inputs: Tensor,
    kernel: Tensor,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Tensor:
    crop = adjusted_padding(
        inputs.shape[1:-1], kernel.shape[:-2], strides, padding, dilation
    )
    groups = inputs.shape[-1] // kernel.shape[-2]
    return conv_general_transpose(g, kernel, groups, strides, crop, dilation)


@conv_general.vjp("kernel")
def _(
    g: Tensor,
    out: Tensor,
    inputs: Tensor,
    kernel: Tensor,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Tensor:
    window = tuple(kernel.shape[:-2])
    pad = adjusted_padding(inputs.shape[1:-1], window, strides, padding, dilation)
    groups = inputs.shape[-1] // kernel.shape[-2]
    return conv_general_kernel(inputs, g, window, groups, strides, pad, dilation)


@primitive(inexact="outputs kernel")
def conv_general_transpose(
    outputs: Tensor,
    kernel: Tensor,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Tensor:
    """Return the adjoint of `conv_general` in its inputs.

    Args:
        outputs: ``(B, *windows, F)``.
        kernel: ``(*window, C / groups, F)``.
        groups: Number of groups.
        strides: One per spatial axis.
        padding: Cells cropped at both ends; negative numbers add zeros.
        dilation: One per spatial axis.

    Returns:
        ``(B, *sizes, C)`` where a size is
        ``(windows - 1) * stride + (window - 1) * dilation + 1 - before - after``.
    """


@conv_general_transpose.abstract
def _(
    outputs: Spec,
    kernel: Spec,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Spec:
    rank = check_rank("conv_transpose", outputs.shape)
    _check_kernel("conv_transpose", rank, kernel.shape)
    if outputs.shape[-1] != kernel.shape[-1] or kernel.shape[-1] % groups:
        raise ShapeError(
            "polykeras.ops.conv_transpose expected a kernel whose last axis has as "
            f"many channels as the inputs, {outputs.shape[-1]}, got a kernel of shape "
            f"{kernel.shape}."
        )
    sizes = transposed_sizes(
        outputs.shape[1:-1], kernel.shape[:-2], strides, padding, dilation
    )
    if min(sizes) < 0:
        raise ShapeError(
            f"polykeras.ops.conv_transpose would crop more than there is: inputs "
            f"{outputs.shape}, kernel {kernel.shape}, cropping {padding}."
        )
    channels = kernel.shape[-2] * groups
    return Spec((outputs.shape[0], *sizes, channels), outputs.dtype)


@conv_general_transpose.vjp("outputs")
def _(
    g: Tensor,
    out: Tensor,
    outputs: Tensor,
    kernel: Tensor,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Tensor:
    return conv_general(g, kernel, strides, padding, dilation)


@conv_general_transpose.vjp("kernel")
def _(
    g: Tensor,
    out: Tensor,
    outputs: Tensor,
    kernel: Tensor,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Tensor:
    window = tuple(kernel.shape[:-2])
    return conv_general_kernel(g, outputs, window, groups, strides, padding, dilation)


@primitive(inexact="inputs outputs")
def conv_general_kernel(
    inputs: Tensor,
    outputs: Tensor,
    window: Ints,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Tensor:
    """Return the adjoint of `conv_general` in its kernel.

    Args:
        inputs: ``(B, *sizes, C)``.
        outputs: ``(B, *windows, F)``.
        window: Size of the kernel along each spatial axis.
        groups: Number of groups.
        strides: One per spatial axis.
        padding: ``(before, after)``, such that no cell at the end is left over.
        dilation: One per spatial axis.

    Returns:
        ``(*window, C / groups, F)``.
    """


@conv_general_kernel.abstract
def _(
    inputs: Spec,
    outputs: Spec,
    window: Ints,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Spec:
    found = window_sizes("conv", inputs.shape[1:-1], window, strides, padding, dilation)
    if found != outputs.shape[1:-1] or inputs.shape[0] != outputs.shape[0]:
        raise ShapeError(
            "polykeras.ops.conv_general_kernel expected outputs of shape "
            f"({inputs.shape[0]}, {', '.join(map(str, found))}, filters), got "
            f"{outputs.shape}."
        )
    shape = (*window, inputs.shape[-1] // groups, outputs.shape[-1])
    return Spec(shape, inputs.dtype)


@conv_general_kernel.vjp("inputs")
def _(
    g: Tensor,
    out: Tensor,
    inputs: Tensor,
    outputs: Tensor,
    window: Ints,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Tensor:
    return conv_general_transpose(outputs, g, groups, strides, padding, dilation)


@conv_general_kernel.vjp("outputs")
def _(
    g: Tensor,
    out: Tensor,
    inputs: Tensor,
    outputs: Tensor,
    window: Ints,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Tensor:
    return conv_general(inputs, g, strides, padding, dilation)


# -- pooling -----------------------------------------------------------------------


@primitive(common="inputs")
def pool_max(inputs: Tensor, window: Ints, strides: Ints, padding: Padding) -> Tensor:
    """Return the largest value in each window; padding never wins.

    Args:
        inputs: ``(B, *sizes, C)``.
        window: Size along each spatial axis.
        strides: One per spatial axis.
        padding: ``(before, after)`` per spatial axis.

    Returns:
        ``(B, *windows, C)``.
    """


@pool_max.abstract
def _(inputs: Spec, window: Ints, strides: Ints, padding: Padding) -> Spec:
    check_rank("max_pool", inputs.shape)
    found = window_sizes("max_pool", inputs.shape[1:-1], window, strides, padding)
    return Spec((inputs.shape[0], *found, inputs.shape[-1]), inputs.dtype)


@pool_max.vjp("inputs")
def _(
    g: Tensor,
    out: Tensor,
    inputs: Tensor,
    window: Ints,
    strides: Ints,
    padding: Padding,
) -> Tensor:
    return pool_max_spread(g, inputs, window, strides, padding)


@primitive(common="g inputs")
def pool_max_spread(
    g: Tensor, inputs: Tensor, window: Ints, strides: Ints, padding: Padding
) -> Tensor:
    """Return the adjoint of `pool_max`: each value goes to its window's maximum.

    Among equal values the first in row-major order takes it.

    Args:
        g: ``(B, *windows, C)``.
        inputs: The tensor that was pooled, ``(B, *sizes, C)``.
        window: Size along each spatial axis.
        strides: One per spatial axis.
        padding: ``(before, after)`` per spatial axis.

    Returns:
        ``(B, *sizes, C)``.
    """


@pool_max_spread.abstract
def _(g: Spec, inputs: Spec, window: Ints, strides: Ints, padding: Padding) -> Spec:
    return Spec(inputs.shape, g.dtype)


@pool_max_spread.vjp("g")
def _(
    gg: Tensor,
    out: Tensor,
    g: Tensor,
    inputs: Tensor,
    window: Ints,
    strides: Ints,
    padding: Padding,
) -> Tensor:
    return pool_max_pick(gg, inputs, window, strides, padding)


@primitive(common="values inputs")
def pool_max_pick(
    values: Tensor, inputs: Tensor, window: Ints, strides: Ints, padding: Padding
) -> Tensor:
    """Return from each window the value at the place of the first maximum of `inputs`.

    Args:
        values: ``(B, *sizes, C)``.
        inputs: Where the maxima are looked for, ``(B, *sizes, C)``.
        window: Size along each spatial axis.
        strides: One per spatial axis.
        padding: ``(before, after)`` per spatial axis.

    Returns:
        ``(B, *windows, C)``.
    """


@pool_max_pick.abstract
def _(
    values: Spec, inputs: Spec, window: Ints, strides: Ints, padding: Padding
) -> Spec:
    found = window_sizes("max_pool", inputs.shape[1:-1], window, strides, padding)
    return Spec((inputs.shape[0], *found, inputs.shape[-1]), values.dtype)


@pool_max_pick.vjp("values")
def _(
    g: Tensor,
    out: Tensor,
    values: Tensor,
    inputs: Tensor,
    window: Ints,
    strides: Ints,
    padding: Padding,
) -> Tensor:
    return pool_max_spread(g, inputs, window, strides, padding)


@primitive(inexact="inputs")
def pool_mean(inputs: Tensor, window: Ints, strides: Ints, padding: Padding) -> Tensor:
    """Return the mean of each window over the cells that are not padding.

    Args:
        inputs: ``(B, *sizes, C)``.
        window: Size along each spatial axis.
        strides: One per spatial axis.
        padding: ``(before, after)`` per spatial axis.

    Returns:
        ``(B, *windows, C)``.
    """


@pool_mean.abstract
def _(inputs: Spec, window: Ints, strides: Ints, padding: Padding) -> Spec:
    check_rank("average_pool", inputs.shape)
    found = window_sizes("average_pool", inputs.shape[1:-1], window, strides, padding)
    return Spec((inputs.shape[0], *found, inputs.shape[-1]), inputs.dtype)


@pool_mean.vjp("inputs")
def _(
    g: Tensor,
    out: Tensor,
    inputs: Tensor,
    window: Ints,
    strides: Ints,
    padding: Padding,
) -> Tensor:
    sizes = tuple(inputs.shape[1:-1])
    return pool_mean_spread(g, sizes, window, strides, padding)


@primitive(inexact="g")
def pool_mean_spread(
    g: Tensor, sizes: Ints, window: Ints, strides: Ints, padding: Padding
) -> Tensor:
    """Return the adjoint of `pool_mean`: each value is shared out over its window.

    Args:
        g: ``(B, *windows, C)``.
        sizes: Spatial sizes of the tensor that was pooled.
        window: Size along each spatial axis.
        strides: One per spatial axis.
        padding: ``(before, after)`` per spatial axis.

    Returns:
        ``(B, *sizes, C)``.
    """


@pool_mean_spread.abstract
def _(g: Spec, sizes: Ints, window: Ints, strides: Ints, padding: Padding) -> Spec:
    return Spec((g.shape[0], *sizes, g.shape[-1]), g.dtype)


@pool_mean_spread.vjp("g")
def _(
    gg: Tensor,
    out: Tensor,
    g: Tensor,
    sizes: Ints,
    window: Ints,
    strides: Ints,
    padding: Padding,
) -> Tensor:
    return pool_mean(gg, window, strides, padding)
