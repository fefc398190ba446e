"""Convolution in NumPy: few large matrix products, views for the rest.

Convolution copies all windows into the rows of one matrix (im2col), so it is a
single product; depthwise convolution is a sum of products over the window's cells.

Reference: Chellapilla, Puri and Simard, 2006, "High Performance Convolutional
Neural Networks for Document Processing", section 3.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.lib.stride_tricks import as_strided

from polykeras_numpy.buffers import empty

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS", "cells_of", "pad", "pieces", "wide"]

Ints = Sequence[int]
Padding = Sequence[tuple[int, int]]

# Columns for more than this many numbers are made in pieces of the batch: pieces
# stay in the cache between the copy and the product, and memory stays bounded.
_PIECE: Final = 1 << 19
# Runs of numbers below this are copied cell by cell, in longer runs.
_SHORT: Final = 8
# The most by which a product with the flipped kernel may be larger than one whose
# columns are added up.
_MORE: Final = 1.25


def wide(x: Array) -> Array:
    """Return 16-bit floats as float32: BLAS has no kernels for them."""
    return x.astype(np.float32) if x.dtype.itemsize <= 2 else x


def pad(x: Array, padding: Padding, value: Any = 0) -> Array:
    """Add cells of one value at both ends of the spatial axes, or crop them."""
    if not any(low or high for low, high in padding):
        return x
    inner, outer = [slice(None)], [slice(None)]
    shape = list(x.shape)
    for axis, (low, high) in enumerate(padding, start=1):
        n = x.shape[axis]
        inner.append(slice(max(-low, 0), n + min(high, 0)))
        outer.append(slice(max(low, 0), n + low + min(high, 0)))
        shape[axis] = n + low + high
    x = x[tuple(inner)]
    if tuple(shape) == x.shape:
        return x
    out = empty(tuple(shape), x.dtype)
    out[...] = value
    out[tuple(outer)] = x
    return out


def _counts(sizes: Ints, window: Ints, strides: Ints, dilation: Ints) -> list[int]:
    return [
        (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(sizes, window, strides, dilation, strict=True)
    ]


def _views(
    x: Array, window: Ints, windows: Ints, strides: Ints, dilation: Ints
) -> Array:
    """Return all windows as a view ``(B, *windows, *window, C)``."""
    batch, *spatial, channels = x.strides
    steps = [a * s for a, s in zip(spatial, strides, strict=True)]
    inner = [a * d for a, d in zip(spatial, dilation, strict=True)]
    return as_strided(
        x,
        (x.shape[0], *windows, *window, x.shape[-1]),
        (batch, *steps, *inner, channels),
        writeable=False,
    )


def cells_of(
    window: Ints, windows: Ints, strides: Ints, dilation: Ints
) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Yield each cell of a window, and where it lies in all windows."""
    for cell in itertools.product(*map(range, window)):
        place = tuple(
            slice(i * d, i * d + (n - 1) * s + 1, s)
            for i, n, s, d in zip(cell, windows, strides, dilation, strict=True)
        )
        yield cell, (slice(None), *place, slice(None))


def _columns(
    x: Array, window: Ints, windows: Ints, strides: Ints, dilation: Ints
) -> Array:
    """Return all windows as the rows of a matrix, in either order of memory."""
    cells, channels = math.prod(window), x.shape[-1]
    if window[-1] * channels < min(_SHORT, windows[-1]):
        shape = (*window, channels, x.shape[0], *windows)
        across = empty(shape, x.dtype)
        for cell, place in cells_of(window, windows, strides, dilation):
            across[cell] = np.moveaxis(x[place], -1, 0)
        return across.reshape(cells * channels, -1).T
    views = _views(x, window, windows, strides, dilation)
    out = empty(views.shape, x.dtype)
    out[...] = views
    return out.reshape(-1, cells * channels)


def pieces(batch: int, row: int, most: int = _PIECE) -> Iterator[slice]:
    """Split the batch so that a piece holds about `most` numbers."""
    step = max(most // max(row, 1), 1)
    return (slice(i, i + step) for i in range(0, batch, step))


def _is_pointwise(window: Ints, strides: Ints) -> bool:
    return math.prod(window) == 1 and math.prod(strides) == 1


def conv_general(
    inputs: Array, kernel: Array, strides: Ints, padding: Padding, dilation: Ints
) -> Array:
    """Multiply the matrix of windows by the kernel as a matrix."""
    dtype = inputs.dtype
    x, kernel = pad(wide(inputs), padding), wide(kernel)
    *window, per_group, filters = kernel.shape
    groups = x.shape[-1] // per_group
    windows = _counts(x.shape[1:-1], window, strides, dilation)
    out = empty((x.shape[0], *windows, filters), x.dtype)
    if groups > 1:
        _grouped_conv(out, x, kernel, groups, strides, dilation)
        return out.astype(dtype, copy=False)
    matrix = kernel.reshape(-1, filters)
    if _is_pointwise(window, strides):
        np.matmul(x.reshape(-1, per_group), matrix, out=out.reshape(-1, filters))
        return out.astype(dtype, copy=False)
    for piece in pieces(x.shape[0], math.prod(windows) * matrix.shape[0]):
        columns = _columns(x[piece], window, windows, strides, dilation)
        np.matmul(columns, matrix, out=out[piece].reshape(-1, filters))
        del columns  # so that the next ones find this memory free, and in the cache
    return out.astype(dtype, copy=False)


def _grouped_conv(
    out: Array, x: Array, kernel: Array, groups: int, strides: Ints, dilation: Ints
) -> None:
    *window, per_group, filters = kernel.shape
    windows = out.shape[1:-1]
    if per_group == 1:
        split = out.reshape(*out.shape[:-1], groups, filters // groups)
        weights = kernel.reshape(*window, groups, filters // groups)
        split[...] = 0
        term = np.empty_like(split)
        for cell, place in cells_of(window, windows, strides, dilation):
            np.multiply(x[place][..., None], weights[cell], out=term)
            split += term
        return
    for channels, features in _group_slices(kernel, groups):
        out[..., features] = conv_general(
            x[..., channels],
            kernel[..., features],
            strides,
            [(0, 0)] * len(window),
            dilation,
        )


def _group_slices(kernel: Array, groups: int) -> Iterator[tuple[slice, slice]]:
    per_group, filters = kernel.shape[-2], kernel.shape[-1] // groups
    for i in range(groups):
        yield (
            slice(i * per_group, (i + 1) * per_group),
            slice(i * filters, (i + 1) * filters),
        )


def conv_general_transpose(
    outputs: Array,
    kernel: Array,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Array:
    """Multiply by the kernel's transpose and add every cell to its place (col2im).

    With strides of one this is a convolution with the flipped kernel too, which adds
    within the product but has a window for each input instead of each output.
    """
    dtype = outputs.dtype
    g, kernel = wide(outputs), wide(kernel)
    *window, per_group, filters = kernel.shape
    windows = g.shape[1:-1]
    if groups == 1 and _is_pointwise(window, strides):
        product = g.reshape(-1, filters) @ kernel.reshape(per_group, filters).T
        product = product.reshape(*g.shape[:-1], per_group)
        crop = [(-low, -high) for low, high in padding]
        return pad(product, crop).astype(dtype, copy=False)
    sizes = [
        (n - 1) * s + (k - 1) * d + 1
        for n, k, s, d in zip(windows, window, strides, dilation, strict=True)
    ]
    inputs = [n - low - high for n, (low, high) in zip(sizes, padding, strict=True)]
    if (
        groups == math.prod(strides) == 1
        and math.prod(inputs) <= _MORE * math.prod(windows)
        and filters >= per_group / _MORE
    ):
        around = [
            ((k - 1) * d - low, (k - 1) * d - high)
            for k, d, (low, high) in zip(window, dilation, padding, strict=True)
        ]
        axes = tuple(range(len(window)))
        flipped = np.flip(kernel, axes).swapaxes(-1, -2)
        found = conv_general(g, flipped, strides, around, dilation)
        return found.astype(dtype, copy=False)
    out = empty((g.shape[0], *sizes, groups * per_group), g.dtype)
    out[...] = 0
    cells = list(cells_of(window, windows, strides, dilation))
    if per_group == 1 and groups > 1:
        split = g.reshape(*g.shape[:-1], groups, filters // groups)
        weights = kernel.reshape(*window, groups, filters // groups)
        for cell, place in cells:
            out[place] += np.einsum("...gf,gf->...g", split, weights[cell])
    elif groups > 1:
        for channels, features in _group_slices(kernel, groups):
            _add_columns(
                out[..., channels], g[..., features], kernel[..., features], cells
            )
    else:
        _add_columns(out, g, kernel, cells)
    crop = [(-low, -high) for low, high in padding]
    return pad(out, crop).astype(dtype, copy=False)


def _add_columns(out: Array, g: Array, kernel: Array, cells: list[Any]) -> None:
    *window, channels, filters = kernel.shape
    matrix = kernel.reshape(-1, filters).T
    row = math.prod(g.shape[1:-1]) * matrix.shape[1]
    for piece in pieces(g.shape[0], row):
        part = g[piece]
        columns = empty((*part.shape[:-1], *window, channels), g.dtype)
        np.matmul(
            part.reshape(-1, filters),
            matrix,
            out=columns.reshape(-1, matrix.shape[1]),
        )
        target = out[piece]
        ahead = (slice(None),) * (part.ndim - 1)
        for cell, place in cells:
            target[place] += columns[(*ahead, *cell)]
        del columns


def conv_general_kernel(
    inputs: Array,
    outputs: Array,
    window: Ints,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Array:
    """Multiply the transposed matrix of windows by the outputs."""
    dtype = inputs.dtype
    x, g = pad(wide(inputs), padding), wide(outputs)
    channels, filters = x.shape[-1], g.shape[-1]
    windows = g.shape[1:-1]
    if groups > 1:
        return _grouped_kernel(x, g, window, groups, strides, dilation).astype(
            dtype, copy=False
        )
    rows = math.prod(window) * channels
    if _is_pointwise(window, strides):
        total = x.reshape(-1, channels).T @ g.reshape(-1, filters)
        return total.reshape(*window, channels, filters).astype(dtype, copy=False)
    total = np.zeros((rows, filters), x.dtype)
    for piece in pieces(x.shape[0], math.prod(windows) * rows):
        columns = _columns(x[piece], window, windows, strides, dilation)
        total += columns.T @ g[piece].reshape(-1, filters)
        del columns
    return total.reshape(*window, channels, filters).astype(dtype, copy=False)


def _grouped_kernel(
    x: Array, g: Array, window: Ints, groups: int, strides: Ints, dilation: Ints
) -> Array:
    windows = g.shape[1:-1]
    per_group, filters = x.shape[-1] // groups, g.shape[-1]
    out = np.empty((*window, per_group, filters), x.dtype)
    split = g.reshape(-1, groups, filters // groups)
    for cell, place in cells_of(window, windows, strides, dilation):
        part = x[place].reshape(-1, groups, per_group)
        if per_group == 1:
            product = np.einsum("ngc,ngf->gcf", part, split)
        else:
            product = part.transpose(1, 2, 0) @ split.transpose(1, 0, 2)
        out[cell] = product.transpose(1, 0, 2).reshape(per_group, filters)
    return out


KERNELS: Final[dict[str, Kernel]] = {
    "conv_general": conv_general,
    "conv_general_transpose": conv_general_transpose,
    "conv_general_kernel": conv_general_kernel,
}
