"""Convolution and pooling out of the array API standard alone.

A window is a sum, or maximum, over its cells; each cell of all windows at once is
one strided slice of the padded input. Nothing is written in place, so namespaces
with immutable arrays work too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polykeras.backend._base import Tensor

if TYPE_CHECKING:
    from polykeras.backend._kernels import Kernel
    from polykeras.backend.array_api._backend import ArrayAPIBackend

__all__ = ["kernels", "mean_weights"]

Ints = Sequence[int]
Padding = Sequence[tuple[int, int]]


def kernels(backend: ArrayAPIBackend) -> dict[str, Kernel]:
    """Return op name to kernel for the namespace ``backend.xp``."""
    windows = _Windows(backend)
    return {
        "conv_general": windows.conv,
        "conv_general_transpose": windows.conv_transpose,
        "conv_general_kernel": windows.conv_kernel,
        "pool_max": windows.pool_max,
        "pool_max_spread": windows.pool_max_spread,
        "pool_max_pick": windows.pool_max_pick,
        "pool_mean": windows.pool_mean,
        "pool_mean_spread": windows.pool_mean_spread,
    }


def mean_weights(
    sizes: Ints, window: Ints, strides: Ints, padding: Padding
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return one over the number of cells in each window that are not padding.

    Returns:
        ``(*windows, 1)``.
    """
    weights = np.ones((1,) * (len(window) + 1))
    for axis, (n, k, s, (low, high)) in enumerate(
        zip(sizes, window, strides, padding, strict=True)
    ):
        starts = np.arange((n + low + high - k) // s + 1) * s - low
        count = np.minimum(starts + k, n) - np.maximum(starts, 0)
        shape = [1] * (len(window) + 1)
        shape[axis] = -1
        weights = weights / np.maximum(count, 1).reshape(shape)
    return weights


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


class _Windows:
    """The kernels, bound to one namespace."""

    def __init__(self, backend: ArrayAPIBackend) -> None:
        self.backend = backend
        self.xp = backend.xp

    # -- convolution ---------------------------------------------------------------

    def conv(
        self,
        inputs: Tensor,
        kernel: Tensor,
        strides: Ints,
        padding: Padding,
        dilation: Ints,
    ) -> Tensor:
        *window, per_group, _ = kernel.shape
        groups = inputs.shape[-1] // per_group
        x = self._pad(inputs, padding)
        windows = _counts(x.shape[1:-1], window, strides, dilation)
        terms = (
            self._mix(x[place], kernel[(*cell, ...)], groups)
            for cell, place in _cells(window, windows, strides, dilation)
        )
        return _total(terms)

    def conv_transpose(
        self,
        outputs: Tensor,
        kernel: Tensor,
        groups: int,
        strides: Ints,
        padding: Padding,
        dilation: Ints,
    ) -> Tensor:
        window = kernel.shape[:-2]
        windows = outputs.shape[1:-1]
        sizes = _reach(windows, window, strides, dilation)
        terms = (
            self._spread(
                self._mix(outputs, self._turned(kernel[(*cell, ...)], groups), groups),
                cell,
                sizes,
                strides,
                dilation,
            )
            for cell, _ in _cells(window, windows, strides, dilation)
        )
        return self._pad(_total(terms), [(-low, -high) for low, high in padding])

    def conv_kernel(
        self,
        inputs: Tensor,
        outputs: Tensor,
        window: Ints,
        groups: int,
        strides: Ints,
        padding: Padding,
        dilation: Ints,
    ) -> Tensor:
        xp = self.xp
        x = self._pad(inputs, padding)
        windows = outputs.shape[1:-1]
        channels, filters = inputs.shape[-1], outputs.shape[-1]
        g = self._grouped(outputs, groups)
        parts = [
            xp.matmul(xp.matrix_transpose(self._grouped(x[place], groups)), g)
            for _, place in _cells(window, windows, strides, dilation)
        ]
        stacked = xp.permute_dims(xp.stack(parts), (0, 2, 1, 3))
        return xp.reshape(stacked, (*window, channels // groups, filters))

    def _mix(self, x: Tensor, matrix: Tensor, groups: int) -> Tensor:
        """Multiply the channels of every cell by a matrix ``(C / groups, F)``."""
        xp = self.xp
        if groups == 1:
            return xp.matmul(x, matrix)
        per_group, filters = matrix.shape
        split = xp.reshape(matrix, (per_group, groups, filters // groups))
        mixed = xp.matmul(self._grouped(x, groups), xp.permute_dims(split, (1, 0, 2)))
        return xp.reshape(xp.permute_dims(mixed, (1, 0, 2)), (*x.shape[:-1], filters))

    def _grouped(self, x: Tensor, groups: int) -> Tensor:
        """Return ``(groups, cells, channels / groups)``."""
        xp = self.xp
        cells = math.prod(x.shape[:-1])
        split = xp.reshape(x, (cells, groups, x.shape[-1] // groups))
        return xp.permute_dims(split, (1, 0, 2))

    def _turned(self, matrix: Tensor, groups: int) -> Tensor:
        """Return the matrix that takes filters back to channels."""
        xp = self.xp
        if groups == 1:
            return xp.matrix_transpose(matrix)
        per_group, filters = matrix.shape
        split = xp.reshape(matrix, (per_group, groups, filters // groups))
        turned = xp.permute_dims(split, (2, 1, 0))
        return xp.reshape(turned, (filters // groups, groups * per_group))

    # -- moving cells --------------------------------------------------------------

    def _pad(self, x: Tensor, padding: Padding, value: complex = 0) -> Tensor:
        """Add cells of one value at both ends of the spatial axes, or crop them."""
        xp = self.xp
        for axis, (low, high) in enumerate(padding, start=1):
            crop: list[Any] = [slice(None)] * x.ndim
            crop[axis] = slice(max(-low, 0), x.shape[axis] + min(high, 0))
            parts = [
                self._filled(x, axis, low, value),
                x[tuple(crop)] if low < 0 or high < 0 else x,
                self._filled(x, axis, high, value),
            ]
            present = [part for part in parts if part is not None]
            x = xp.concat(present, axis=axis) if len(present) > 1 else present[0]
        return x

    def _filled(self, x: Tensor, axis: int, count: int, value: complex) -> Tensor:
        if count < 1:
            return None
        shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
        return self.xp.full(shape, value, dtype=x.dtype)

    def _spread(
        self,
        x: Tensor,
        cell: Ints,
        sizes: Ints,
        strides: Ints,
        dilation: Ints,
    ) -> Tensor:
        """Put the values of one cell of all windows where they came from."""
        xp = self.xp
        padding = []
        for axis, (i, n, s, d) in enumerate(
            zip(cell, sizes, strides, dilation, strict=True), start=1
        ):
            count = x.shape[axis]
            if s > 1:
                head, tail = x.shape[:axis], x.shape[axis + 1 :]
                gap = xp.zeros((*head, count, s - 1, *tail), dtype=x.dtype)
                wide = xp.concat([xp.expand_dims(x, axis=axis + 1), gap], axis=axis + 1)
                x = xp.reshape(wide, (*head, count * s, *tail))
                run = slice(0, (count - 1) * s + 1)
                x = x[(*(slice(None),) * axis, run, ...)]
            padding.append((i * d, n - i * d - x.shape[axis]))
        return self._pad(x, padding)

    # -- pooling -------------------------------------------------------------------

    def _lowest(self, x: Tensor) -> Any:
        if self.xp.isdtype(x.dtype, "bool"):
            return False
        if self.xp.isdtype(x.dtype, "integral"):
            return self.xp.iinfo(x.dtype).min
        return -math.inf

    def _is_nan(self, x: Tensor) -> Tensor:
        if self.xp.isdtype(x.dtype, "real floating"):
            return self.xp.isnan(x)
        return self.xp.zeros(x.shape, dtype=self.xp.bool)

    def _padded(
        self, x: Tensor, window: Ints, strides: Ints, padding: Padding, value: Any
    ) -> tuple[Tensor, list[tuple[tuple[int, ...], tuple[slice, ...]]]]:
        x = self._pad(x, padding, value)
        ones = (1,) * len(window)
        windows = _counts(x.shape[1:-1], window, strides, ones)
        return x, list(_cells(window, windows, strides, ones))

    def pool_max(
        self, inputs: Tensor, window: Ints, strides: Ints, padding: Padding
    ) -> Tensor:
        x, cells = self._padded(inputs, window, strides, padding, self._lowest(inputs))
        out = x[cells[0][1]]
        for _, place in cells[1:]:
            out = self.xp.maximum(out, x[place])
        return out

    def _first_maxima(
        self, inputs: Tensor, window: Ints, strides: Ints, padding: Padding
    ) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...], Tensor]]:
        """Yield each cell with a mask of the windows that have their maximum there."""
        xp = self.xp
        x, cells = self._padded(inputs, window, strides, padding, self._lowest(inputs))
        largest = self.pool_max(inputs, window, strides, padding)
        free = xp.ones(largest.shape, dtype=xp.bool)
        for cell, place in cells:
            part = x[place]
            here = free & ((part == largest) | self._is_nan(part))
            free = free & ~here
            yield cell, place, here

    def pool_max_spread(
        self,
        g: Tensor,
        inputs: Tensor,
        window: Ints,
        strides: Ints,
        padding: Padding,
    ) -> Tensor:
        xp = self.xp
        sizes = _padded_sizes(inputs.shape[1:-1], padding)
        ones = (1,) * len(window)
        zero = xp.zeros((), dtype=g.dtype)
        terms = (
            self._spread(xp.where(here, g, zero), cell, sizes, strides, ones)
            for cell, _, here in self._first_maxima(inputs, window, strides, padding)
        )
        return self._pad(_total(terms), [(-low, -high) for low, high in padding])

    def pool_max_pick(
        self,
        values: Tensor,
        inputs: Tensor,
        window: Ints,
        strides: Ints,
        padding: Padding,
    ) -> Tensor:
        xp = self.xp
        v = self._pad(values, padding)
        zero = xp.zeros((), dtype=v.dtype)
        return _total(
            xp.where(here, v[place], zero)
            for _, place, here in self._first_maxima(inputs, window, strides, padding)
        )

    def _weights(
        self, like: Tensor, sizes: Ints, window: Ints, strides: Ints, padding: Padding
    ) -> Tensor:
        weights = mean_weights(sizes, window, strides, padding)
        return self.backend.from_numpy(weights, self.backend.dtype_name(like))

    def pool_mean(
        self, inputs: Tensor, window: Ints, strides: Ints, padding: Padding
    ) -> Tensor:
        x, cells = self._padded(inputs, window, strides, padding, 0)
        sizes = inputs.shape[1:-1]
        total = _total(x[place] for _, place in cells)
        return total * self._weights(inputs, sizes, window, strides, padding)

    def pool_mean_spread(
        self, g: Tensor, sizes: Ints, window: Ints, strides: Ints, padding: Padding
    ) -> Tensor:
        ones = (1,) * len(window)
        share = g * self._weights(g, sizes, window, strides, padding)
        wide = _padded_sizes(sizes, padding)
        terms = (
            self._spread(share, cell, wide, strides, ones)
            for cell, _ in _cells(window, g.shape[1:-1], strides, ones)
        )
        return self._pad(_total(terms), [(-low, -high) for low, high in padding])


def _total(terms: Iterator[Tensor]) -> Tensor:
    total = next(terms)
    for term in terms:
        total = total + term
    return total


def _counts(
    sizes: Ints, window: Ints, strides: Ints, dilation: Ints
) -> tuple[int, ...]:
    return tuple(
        (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(sizes, window, strides, dilation, strict=True)
    )


def _reach(
    windows: Ints, window: Ints, strides: Ints, dilation: Ints
) -> tuple[int, ...]:
    return tuple(
        (n - 1) * s + (k - 1) * d + 1
        for n, k, s, d in zip(windows, window, strides, dilation, strict=True)
    )


def _padded_sizes(sizes: Ints, padding: Padding) -> tuple[int, ...]:
    return tuple(n + low + high for n, (low, high) in zip(sizes, padding, strict=True))
