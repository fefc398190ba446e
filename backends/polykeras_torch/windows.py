"""Convolution and pooling in PyTorch.

A channels-last tensor seen through `permute` is what PyTorch calls channels-last
memory format, so nothing is copied on the way in or out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.nn import functional
from torch.nn import grad as convolution_gradients

from polykeras import ops
from polykeras.backend.array_api.windows import mean_weights
from polykeras_torch.small_floats import SMALL, widened_product

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Ints = Sequence[int]
Padding = Sequence[tuple[int, int]]
T = torch.Tensor
_WIDE: Final = (torch.float32, torch.float64)

_CONV: Final = (functional.conv1d, functional.conv2d, functional.conv3d)
_TRANSPOSE: Final = (
    functional.conv_transpose1d,
    functional.conv_transpose2d,
    functional.conv_transpose3d,
)
_WEIGHT: Final = (
    convolution_gradients.conv1d_weight,
    convolution_gradients.conv2d_weight,
    convolution_gradients.conv3d_weight,
)
_MAX: Final = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)
_MEAN: Final = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)


def _first(x: T) -> T:
    """Return ``(B, *sizes, C)`` seen as ``(B, C, *sizes)``."""
    return x.permute(0, -1, *range(1, x.ndim - 1))


def _last(x: T) -> T:
    return x.permute(0, *range(2, x.ndim), 1)


def _filters_first(kernel: T) -> T:
    """Return ``(*window, C, F)`` seen as ``(F, C, *window)``."""
    return kernel.permute(-1, -2, *range(kernel.ndim - 2))


def _pad(x: T, padding: Padding, value: float = 0) -> T:
    """Pad or crop the spatial axes of ``(B, C, *sizes)``."""
    if not any(low or high for low, high in padding):
        return x
    flat = [n for pair in reversed(padding) for n in pair]
    return functional.pad(x, flat, value=value)


def _symmetric(padding: Padding, limits: Ints | None = None) -> list[int] | None:
    """Return one number per axis if PyTorch's own padding can do it, else None."""
    if any(low != high or low < 0 for low, high in padding):
        return None
    found = [low for low, _ in padding]
    if limits and any(p > limit for p, limit in zip(found, limits, strict=True)):
        return None
    return found


# -- convolution -------------------------------------------------------------------


@widened_product
def conv_general(
    inputs: T, kernel: T, strides: Ints, padding: Padding, dilation: Ints
) -> T:
    """Call the library's convolution."""
    x = _first(inputs)
    groups = inputs.shape[-1] // kernel.shape[-2]
    own, skips = _symmetric(padding), _skips(kernel.shape[:-2], strides)
    if own is None or skips:
        x, own = _pad(x, padding), [0] * len(padding)
    if skips:
        x, strides = _thinned(x, strides)
    convolve: Any = _CONV[len(strides) - 1]
    out = convolve(
        x, _filters_first(kernel), None, list(strides), own, list(dilation), groups
    )
    return _last(out)


def _skips(window: Ints, strides: Ints) -> bool:
    """Return whether a convolution reads some cells only, each by itself.

    PyTorch 2.13 corrupts memory on some CPUs where it derives such a convolution of few
    channels in its weights.
    """
    return max(window) == 1 < max(strides)


def _thinned(x: T, strides: Ints) -> tuple[T, Ints]:
    """Return the cells of ``(B, C, *sizes)`` that are read, and the strides left."""
    read: Any = (..., *(slice(None, None, n) for n in strides))
    return x[read], (1,) * len(strides)


@widened_product
def conv_general_transpose(
    outputs: T,
    kernel: T,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> T:
    """Call the library's transposed convolution, then crop."""
    own = [max(min(pair), 0) for pair in padding]
    convolve: Any = _TRANSPOSE[len(strides) - 1]
    out = convolve(
        _first(outputs),
        _filters_first(kernel),
        None,
        list(strides),
        own,
        [0] * len(own),
        groups,
        list(dilation),
    )
    rest = [(p - low, p - high) for p, (low, high) in zip(own, padding, strict=True)]
    return _last(_pad(out, rest))


@widened_product
def conv_general_kernel(
    inputs: T,
    outputs: T,
    window: Ints,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> T:
    """Call the library's derivative in the weights."""
    rank = len(window)
    shape = (outputs.shape[-1], inputs.shape[-1] // groups, *window)
    weight: Any = _WEIGHT[rank - 1]
    x = _pad(_first(inputs), padding)
    if _skips(window, strides):
        x, strides = _thinned(x, strides)
    found: T = weight(
        x,
        shape,
        _first(outputs),
        tuple(strides),
        (0,) * rank,
        tuple(dilation),
        groups,
    )
    return found.permute(*range(2, rank + 2), 1, 0)


# -- pooling -----------------------------------------------------------------------


def _lowest(x: T) -> float:
    if x.is_floating_point():
        return -math.inf
    return 0 if x.dtype is torch.bool else torch.iinfo(x.dtype).min


def _max_over_integers(x: T, window: Ints, strides: Ints) -> T:
    for axis, (k, s) in enumerate(zip(window, strides, strict=True), start=2):
        x = x.unfold(axis, k, s).amax(-1)
    return x


def _pooled(
    inputs: T, window: Ints, strides: Ints, padding: Padding, *, indices: bool
) -> Any:
    x = _first(inputs)
    own = _symmetric(padding, [k // 2 for k in window])
    if own is None or indices:
        x, own = _pad(x, padding, _lowest(inputs)), [0] * len(padding)
    pool: Any = _MAX[len(window) - 1]
    return pool(x, list(window), list(strides), own, return_indices=indices)


def pool_max(inputs: T, window: Ints, strides: Ints, padding: Padding) -> T:
    """Call the library's pooling; it has none for integers."""
    if not inputs.is_floating_point():
        x = _pad(_first(inputs), padding, _lowest(inputs))
        return _last(_max_over_integers(x, window, strides))
    return _last(_pooled(inputs, window, strides, padding, indices=False))


def pool_max_spread(
    g: T, inputs: T, window: Ints, strides: Ints, padding: Padding
) -> T:
    """Scatter each value to the index of its window's maximum."""
    _, where = _pooled(inputs, window, strides, padding, indices=True)
    sizes = [
        n + low + high
        for n, (low, high) in zip(inputs.shape[1:-1], padding, strict=True)
    ]
    batch, channels = inputs.shape[0], inputs.shape[-1]
    flat = g.new_zeros((batch, channels, math.prod(sizes)))
    flat = flat.scatter_add(2, where.flatten(2), _first(g).flatten(2))
    out = flat.reshape(batch, channels, *sizes)
    return _last(_pad(out, [(-low, -high) for low, high in padding]))


def pool_max_pick(
    values: T, inputs: T, window: Ints, strides: Ints, padding: Padding
) -> T:
    """Gather each window's value from the index of its maximum."""
    _, where = _pooled(inputs, window, strides, padding, indices=True)
    flat = _pad(_first(values), padding).flatten(2)
    return _last(flat.gather(2, where.flatten(2)).reshape(where.shape))


def _weights(x: T, sizes: Ints, window: Ints, strides: Ints, padding: Padding) -> T:
    weights = mean_weights(sizes, window, strides, padding)
    return torch.as_tensor(weights, dtype=x.dtype, device=x.device)


def pool_mean(inputs: T, window: Ints, strides: Ints, padding: Padding) -> T:
    """Call the library's pooling; divide ourselves where padding is lopsided."""
    volumes = len(window) == len(_MEAN)
    if volumes and inputs.device.type == "cpu" and inputs.dtype in SMALL:
        # The library has no three-dimensional mean of 16-bit floats on the CPU.
        mean = pool_mean(inputs.float(), window, strides, padding)
        return mean.to(inputs.dtype)
    x = _first(inputs)
    own = _symmetric(padding, [k // 2 for k in window])
    pool: Any = _MEAN[len(window) - 1]
    if own is not None:
        return _last(pool(x, list(window), list(strides), own, count_include_pad=False))
    # Below float32 the scaled-up mean would lose digits twice.
    total = pool(_pad(x, padding), list(window), list(strides)) * math.prod(window)
    sizes = inputs.shape[1:-1]
    return _last(total) * _weights(inputs, sizes, window, strides, padding)


def pool_mean_spread(
    g: T, sizes: Ints, window: Ints, strides: Ints, padding: Padding
) -> T:
    """Convolve each channel's shares with ones, transposed."""
    share = g * _weights(g, sizes, window, strides, padding)
    channels = g.shape[-1]
    ones = g.new_ones((*window, 1, channels))
    reached = [
        (n - 1) * s + k for n, s, k in zip(g.shape[1:-1], strides, window, strict=True)
    ]
    crop = [
        (low, m - n - low)
        for m, n, (low, _) in zip(reached, sizes, padding, strict=True)
    ]
    return conv_general_transpose(
        share, ones, channels, strides, crop, (1,) * len(window)
    )


def resize(images: T, size: tuple[int, int], interpolation: str, *options: Any) -> T:
    """Resize images by the library's bilinear kernel, where it does the same."""
    antialias, crop, pad, _, _, data_format = options
    plain = interpolation == "bilinear" and not (antialias or crop or pad)
    if not plain or images.dtype not in _WIDE or images.ndim != 4:
        body = ops.image.resize.__wrapped__  # type: ignore[attr-defined]
        composed: T = body(images, size, interpolation, *options)
        return composed
    last = data_format == "channels_last"
    moved = images.movedim(-1, 1) if last else images
    out = functional.interpolate(moved, size, mode="bilinear")
    return out.movedim(1, -1) if last else out


KERNELS: Final[dict[str, Kernel]] = {
    "conv_general": conv_general,
    "conv_general_transpose": conv_general_transpose,
    "conv_general_kernel": conv_general_kernel,
    "pool_max": pool_max,
    "pool_max_spread": pool_max_spread,
    "pool_max_pick": pool_max_pick,
    "pool_mean": pool_mean,
    "pool_mean_spread": pool_mean_spread,
    "resize": resize,
}
