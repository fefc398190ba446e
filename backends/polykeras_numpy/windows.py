"""Convolution and pooling in NumPy: few large matrix products, views for the rest.

Convolution copies all windows into the rows of one matrix (im2col), so it is a
single product; depthwise convolution is a sum of products over the window's cells.
Pooling runs over the cells of the window, each a strided view of the whole batch.

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

from polykeras.backend.array_api.windows import mean_weights

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS"]

Ints = Sequence[int]
Padding = Sequence[tuple[int, int]]

# Columns for more than this many numbers are made in pieces of the batch: pieces
# stay in the cache between the copy and the product, and memory stays bounded.
_PIECE: Final = 1 << 20


def _wide(x: Array) -> Array:
    """Return 16-bit floats as float32: BLAS has no kernels for them."""
    return x.astype(np.float32) if x.dtype.itemsize <= 2 else x


def _pad(x: Array, padding: Padding, value: Any = 0) -> Array:
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
    out = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
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


def _cells(
    window: Ints, windows: Ints, strides: Ints, dilation: Ints
) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Yield each cell of a window, and where it lies in all windows."""
    for cell in itertools.product(*map(range, window)):
        place = tuple(
            slice(i * d, i * d + (n - 1) * s + 1, s)
            for i, n, s, d in zip(cell, windows, strides, dilation, strict=True)
        )
        yield cell, (slice(None), *place, slice(None))


def _pieces(batch: int, row: int) -> Iterator[slice]:
    """Split the batch so that a piece holds about `_PIECE` numbers."""
    step = max(_PIECE // max(row, 1), 1)
    return (slice(i, i + step) for i in range(0, batch, step))


def _is_pointwise(window: Ints, strides: Ints) -> bool:
    return math.prod(window) == 1 and math.prod(strides) == 1


# -- convolution -------------------------------------------------------------------


def conv_general(
    inputs: Array, kernel: Array, strides: Ints, padding: Padding, dilation: Ints
) -> Array:
    """Multiply the matrix of windows by the kernel as a matrix."""
    dtype = inputs.dtype
    x, kernel = _pad(_wide(inputs), padding), _wide(kernel)
    *window, per_group, filters = kernel.shape
    groups = x.shape[-1] // per_group
    windows = _counts(x.shape[1:-1], window, strides, dilation)
    out = np.empty((x.shape[0], *windows, filters), x.dtype)
    if groups > 1:
        _grouped_conv(out, x, kernel, groups, strides, dilation)
        return out.astype(dtype, copy=False)
    matrix = kernel.reshape(-1, filters)
    if _is_pointwise(window, strides):
        np.matmul(x.reshape(-1, per_group), matrix, out=out.reshape(-1, filters))
        return out.astype(dtype, copy=False)
    views = _views(x, window, windows, strides, dilation)
    for piece in _pieces(x.shape[0], math.prod(windows) * matrix.shape[0]):
        columns = views[piece].reshape(-1, matrix.shape[0])
        np.matmul(columns, matrix, out=out[piece].reshape(-1, filters))
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
        for cell, place in _cells(window, windows, strides, dilation):
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
    """Multiply by the kernel's transpose and add every cell to its place (col2im)."""
    dtype = outputs.dtype
    g, kernel = _wide(outputs), _wide(kernel)
    *window, per_group, filters = kernel.shape
    windows = g.shape[1:-1]
    if groups == 1 and _is_pointwise(window, strides):
        product = g.reshape(-1, filters) @ kernel.reshape(per_group, filters).T
        product = product.reshape(*g.shape[:-1], per_group)
        crop = [(-low, -high) for low, high in padding]
        return _pad(product, crop).astype(dtype, copy=False)
    sizes = [
        (n - 1) * s + (k - 1) * d + 1
        for n, k, s, d in zip(windows, window, strides, dilation, strict=True)
    ]
    out = np.zeros((g.shape[0], *sizes, groups * per_group), g.dtype)
    cells = list(_cells(window, windows, strides, dilation))
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
    return _pad(out, crop).astype(dtype, copy=False)


def _add_columns(out: Array, g: Array, kernel: Array, cells: list[Any]) -> None:
    *window, channels, filters = kernel.shape
    matrix = kernel.reshape(-1, filters).T
    row = math.prod(g.shape[1:-1]) * matrix.shape[1]
    for piece in _pieces(g.shape[0], row):
        part = g[piece]
        columns = np.matmul(part.reshape(-1, filters), matrix)
        columns = columns.reshape(*part.shape[:-1], *window, channels)
        target = out[piece]
        ahead = (slice(None),) * (part.ndim - 1)
        for cell, place in cells:
            target[place] += columns[(*ahead, *cell)]


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
    x, g = _pad(_wide(inputs), padding), _wide(outputs)
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
    views = _views(x, window, windows, strides, dilation)
    for piece in _pieces(x.shape[0], math.prod(windows) * rows):
        columns = views[piece].reshape(-1, rows)
        total += columns.T @ g[piece].reshape(-1, filters)
    return total.reshape(*window, channels, filters).astype(dtype, copy=False)


def _grouped_kernel(
    x: Array, g: Array, window: Ints, groups: int, strides: Ints, dilation: Ints
) -> Array:
    windows = g.shape[1:-1]
    per_group, filters = x.shape[-1] // groups, g.shape[-1]
    out = np.empty((*window, per_group, filters), x.dtype)
    split = g.reshape(-1, groups, filters // groups)
    for cell, place in _cells(window, windows, strides, dilation):
        part = x[place].reshape(-1, groups, per_group)
        if per_group == 1:
            product = np.einsum("ngc,ngf->gcf", part, split)
        else:
            product = part.transpose(1, 2, 0) @ split.transpose(1, 0, 2)
        out[cell] = product.transpose(1, 0, 2).reshape(per_group, filters)
    return out


# -- pooling -----------------------------------------------------------------------


def _lowest(dtype: np.dtype[Any]) -> Any:
    if dtype.kind in "iu":
        return np.iinfo(dtype).min
    return False if dtype.kind == "b" else -math.inf


def _pool_cells(x: Array, window: Ints, strides: Ints) -> list[Any]:
    ones = (1,) * len(window)
    windows = _counts(x.shape[1:-1], window, strides, ones)
    return list(_cells(window, windows, strides, ones))


def pool_max(inputs: Array, window: Ints, strides: Ints, padding: Padding) -> Array:
    """Take the maximum over the window's cells, one axis after the other."""
    x = _pad(inputs, padding, _lowest(inputs.dtype))
    for axis, (k, s) in enumerate(zip(window, strides, strict=True), start=1):
        n = (x.shape[axis] - k) // s + 1
        head = (slice(None),) * axis
        parts = [x[(*head, slice(i, i + (n - 1) * s + 1, s))] for i in range(k)]
        if k == 1:
            x = parts[0]
            continue
        out = np.maximum(parts[0], parts[1])
        for part in parts[2:]:
            np.maximum(out, part, out=out)
        x = out
    return x.copy() if np.may_share_memory(x, inputs) else x


def _first_maxima(
    inputs: Array, window: Ints, strides: Ints, padding: Padding
) -> Iterator[tuple[tuple[slice, ...], Array]]:
    """Yield each cell's place and the windows that have their first maximum there."""
    x = _pad(inputs, padding, _lowest(inputs.dtype))
    largest = pool_max(inputs, window, strides, padding)
    cells = _pool_cells(x, window, strides)
    has_nan = largest.dtype.kind not in "iub" and bool(np.isnan(largest).any())
    free = np.ones(largest.shape, bool)
    for _, place in cells:
        part = x[place]
        here = part == largest
        if has_nan:
            here |= np.isnan(part)
        here &= free
        free ^= here
        yield place, here


def pool_max_spread(
    g: Array, inputs: Array, window: Ints, strides: Ints, padding: Padding
) -> Array:
    """Add each value where its window has its first maximum."""
    sizes = [
        n + low + high
        for n, (low, high) in zip(inputs.shape[1:-1], padding, strict=True)
    ]
    out = np.zeros((g.shape[0], *sizes, g.shape[-1]), g.dtype)
    for place, here in _first_maxima(inputs, window, strides, padding):
        out[place] += np.where(here, g, g.dtype.type(0))
    return _pad(out, [(-low, -high) for low, high in padding])


def pool_max_pick(
    values: Array, inputs: Array, window: Ints, strides: Ints, padding: Padding
) -> Array:
    """Take each window's value from where `inputs` has its first maximum."""
    v = _pad(values, padding)
    out: Array | None = None
    for place, here in _first_maxima(inputs, window, strides, padding):
        if out is None:
            out = np.zeros(here.shape, v.dtype)
        np.copyto(out, v[place], where=here)
    if out is None:
        raise ValueError("A window has at least one cell.")
    return out


def pool_mean(inputs: Array, window: Ints, strides: Ints, padding: Padding) -> Array:
    """Sum over the window's cells, one axis after the other, and scale."""
    x = _pad(_wide(inputs), padding)
    for axis, (k, s) in enumerate(zip(window, strides, strict=True), start=1):
        n = (x.shape[axis] - k) // s + 1
        head = (slice(None),) * axis
        parts = [x[(*head, slice(i, i + (n - 1) * s + 1, s))] for i in range(k)]
        out = parts[0] + parts[1] if k > 1 else parts[0]
        for part in parts[2:]:
            out += part
        x = out
    weights = mean_weights(inputs.shape[1:-1], window, strides, padding)
    mean: Array = x * weights.astype(x.dtype)
    return mean.astype(inputs.dtype, copy=False)


def pool_mean_spread(
    g: Array, sizes: Ints, window: Ints, strides: Ints, padding: Padding
) -> Array:
    """Share each value out over the cells of its window."""
    wide = _wide(g)
    weights = mean_weights(sizes, window, strides, padding)
    share = wide * weights.astype(wide.dtype)
    padded = [n + low + high for n, (low, high) in zip(sizes, padding, strict=True)]
    out = np.zeros((g.shape[0], *padded, g.shape[-1]), share.dtype)
    ones = (1,) * len(window)
    for _, place in _cells(window, g.shape[1:-1], strides, ones):
        out[place] += share
    out = _pad(out, [(-low, -high) for low, high in padding])
    return out.astype(g.dtype, copy=False)


KERNELS: Final[dict[str, Kernel]] = {
    "conv_general": conv_general,
    "conv_general_transpose": conv_general_transpose,
    "conv_general_kernel": conv_general_kernel,
    "pool_max": pool_max,
    "pool_max_spread": pool_max_spread,
    "pool_max_pick": pool_max_pick,
    "pool_mean": pool_mean,
    "pool_mean_spread": pool_mean_spread,
}
