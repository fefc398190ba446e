"""Pooling in NumPy: each cell of the windows is a strided view of the batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from polykeras.backend.array_api.windows import mean_weights
from polykeras_numpy.buffers import empty
from polykeras_numpy.windows import cells_of, pad, pieces, wide

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS"]

Ints = Sequence[int]
Padding = Sequence[tuple[int, int]]

# Numbers that pass after pass finds in the cache.
_CACHED: Final = 1 << 18


def _lowest(dtype: np.dtype[Any]) -> Any:
    if dtype.kind in "iu":
        return np.iinfo(dtype).min
    return False if dtype.kind == "b" else -math.inf


def _along(x: Array, axis: int, k: int, s: int) -> list[tuple[slice, ...]]:
    """Return where the cells of all windows along an axis lie, in order."""
    n = (x.shape[axis] - k) // s + 1
    head = (slice(None),) * axis
    return [(*head, slice(i, i + (n - 1) * s + 1, s)) for i in range(k)]


def pool_max(inputs: Array, window: Ints, strides: Ints, padding: Padding) -> Array:
    """Take the maximum over the window's cells, one axis after the other."""
    x = pad(inputs, padding, _lowest(inputs.dtype))
    for axis, (k, s) in enumerate(zip(window, strides, strict=True), start=1):
        parts = [x[place] for place in _along(x, axis, k, s)]
        x = parts[0]
        if k > 1:
            x = np.maximum(x, parts[1], out=empty(x.shape, x.dtype))
        for part in parts[2:]:
            np.maximum(x, part, out=x)
    return x.copy() if np.may_share_memory(x, inputs) else x


class _Level(NamedTuple):
    """What the maximum along one axis chose from.

    Args:
        places: Where the cells of all windows lie, one after the other.
        sizes: Shape before the axis was pooled.
        apart: Whether no cell is in two windows.
        parts: The cells.
        running: The maximum of the first cells: of one, of two, and so on.
    """

    places: list[tuple[slice, ...]]
    sizes: tuple[int, ...]
    apart: bool
    parts: list[Array]
    running: list[Array]

    def earlier(self, i: int, has_nan: bool) -> Array:
        """Return where the first `i` cells hold the first maximum of ``i + 1``."""
        before = self.running[i - 1]
        found: Array = before >= self.parts[i]
        return found | np.isnan(before) if has_nan else found


def _levels(x: Array, window: Ints, strides: Ints) -> list[_Level]:
    """Pool one axis after the other, the last first.

    A first maximum within rows and then among rows is the first of the window.
    """
    found = []
    for axis in range(len(window), 0, -1):
        k, s = window[axis - 1], strides[axis - 1]
        places = _along(x, axis, k, s)
        parts = [x[place] for place in places]
        running = parts[:1]
        for part in parts[1:]:
            largest = empty(part.shape, x.dtype)
            running.append(np.maximum(running[-1], part, out=largest))
        found.append(_Level(places, x.shape, s >= k, parts, running))
        x = running[-1]
    return found


def _has_nan(levels: list[_Level]) -> bool:
    largest = levels[-1].running[-1]
    return largest.dtype.kind not in "iub" and bool(np.isnan(largest).any())


def pool_max_spread(
    g: Array, inputs: Array, window: Ints, strides: Ints, padding: Padding
) -> Array:
    """Add each value where its window has its first maximum."""
    x = pad(inputs, padding, _lowest(inputs.dtype))
    out = empty(x.shape, g.dtype)
    for piece in pieces(x.shape[0], math.prod(x.shape[1:]), _CACHED):
        levels = _levels(x[piece], window, strides)
        part, has_nan = g[piece], _has_nan(levels)
        for level in reversed(levels):
            target = out[piece] if level is levels[0] else None
            part = _spread(part, level, has_nan, target)
    return pad(out, [(-low, -high) for low, high in padding])


def _spread(g: Array, level: _Level, has_nan: bool, out: Array | None) -> Array:
    """Put each value where `level` found its maximum, zeros elsewhere."""
    out = empty(level.sizes, g.dtype) if out is None else out
    cells = len(level.places)
    if not level.apart or cells * g.size < out.size:
        out[...] = 0
    # Products of bits with 0 or 1 choose without a branch, and infinities too.
    bits = np.dtype(f"i{g.dtype.itemsize}")
    for i in range(cells - 1, -1, -1):
        here = g
        if i:
            g = (g.view(bits) * level.earlier(i, has_nan)).view(g.dtype)
            here = (here.view(bits) ^ g.view(bits)).view(g.dtype)
        if level.apart:
            out[level.places[i]] = here
        else:
            out[level.places[i]] += here
    return out


def pool_max_pick(
    values: Array, inputs: Array, window: Ints, strides: Ints, padding: Padding
) -> Array:
    """Take each window's value from where `inputs` has its first maximum."""
    v = pad(values, padding)
    levels = _levels(pad(inputs, padding, _lowest(inputs.dtype)), window, strides)
    has_nan = _has_nan(levels)
    for level in levels:
        parts = [v[place] for place in level.places]
        v = parts[0]
        for i in range(1, len(parts)):
            v = np.where(level.earlier(i, has_nan), v, parts[i])
    return v


def pool_mean(inputs: Array, window: Ints, strides: Ints, padding: Padding) -> Array:
    """Sum over the window's cells, one axis after the other, and scale."""
    x = pad(wide(inputs), padding)
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
    g_wide = wide(g)
    weights = mean_weights(sizes, window, strides, padding)
    share = g_wide * weights.astype(g_wide.dtype)
    padded = [n + low + high for n, (low, high) in zip(sizes, padding, strict=True)]
    out = np.zeros((g.shape[0], *padded, g.shape[-1]), share.dtype)
    ones = (1,) * len(window)
    for _, place in cells_of(window, g.shape[1:-1], strides, ones):
        out[place] += share
    out = pad(out, [(-low, -high) for low, high in padding])
    return out.astype(g.dtype, copy=False)


KERNELS: Final[dict[str, Kernel]] = {
    "pool_max": pool_max,
    "pool_max_spread": pool_max_spread,
    "pool_max_pick": pool_max_pick,
    "pool_mean": pool_mean,
    "pool_mean_spread": pool_mean_spread,
}
