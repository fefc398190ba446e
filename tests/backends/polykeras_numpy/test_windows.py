"""Convolution and pooling against their definitions, whichever way is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from polykeras_numpy import pooling, windows

NONE = ((0, 0), (0, 0))


def by_window(g: Any, x: Any, size: int, stride: int) -> Any:
    """Return `pool_max_spread` window by window."""
    out = np.zeros_like(x)
    for b, i, j, c in np.ndindex(g.shape):
        top, left = i * stride, j * stride
        cells = x[b, top : top + size, left : left + size, c].ravel()
        first = np.isnan(cells).argmax() if np.isnan(cells).any() else cells.argmax()
        row, column = divmod(int(first), size)
        out[b, top + row, left + column, c] += g[b, i, j, c]
    return out


@pytest.mark.parametrize("special", [None, np.nan, np.inf])
@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_first_maximum_takes_the_value(
    special: float | None, size: int, stride: int
) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, (2, 6, 7, 4)).astype(np.float32)  # many ties
    if special is not None:
        x[rng.random(x.shape) < 0.2] = special
    window, strides = (size, size), (stride, stride)
    pooled = pooling.pool_max(x, window, strides, NONE)
    g = rng.integers(1, 100, pooled.shape).astype(np.float32)
    g.flat[0] = np.inf
    spread = pooling.pool_max_spread(g, x, window, strides, NONE)
    np.testing.assert_array_equal(spread, by_window(g, x, size, stride))
    picked = pooling.pool_max_pick(x, x, window, strides, NONE)
    np.testing.assert_array_equal(picked, pooled)


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("padding", [NONE, ((1, 1), (1, 1)), ((0, 4), (3, -1))])
def test_convolution_and_its_adjoints(
    channels: int, stride: int, dilation: int, padding: Any
) -> None:
    rng = np.random.default_rng(1)
    steps, spread = (stride, stride), (dilation, dilation)
    x, kernel = (
        rng.normal(size=(2, 13, 14, channels)),
        rng.normal(size=(3, 2, channels, 4)),
    )
    y = windows.conv_general(x, kernel, steps, padding, spread)
    lows = [low for low, _ in padding]
    for b, i, j, f in [(0, 0, 0, 0), (1, *(n - 1 for n in y.shape[1:3]), 3)]:
        total = 0.0
        for m, n in np.ndindex(3, 2):
            row = i * stride + m * dilation - lows[0]
            column = j * stride + n * dilation - lows[1]
            inside = 0 <= row < 13 and 0 <= column < 14 - (padding[1][1] < 0)
            total += x[b, row, column] @ kernel[m, n, :, f] if inside else 0.0
        assert y[b, i, j, f] == pytest.approx(total)
    g: Any = rng.normal(size=y.shape)
    # Rows behind the last window are read by none, so they are cropped as padding.
    unread = [
        (low, high - (n + low + high - (k - 1) * dilation - 1) % stride)
        for n, k, (low, high) in zip((13, 14), (3, 2), padding, strict=True)
    ]
    back = windows.conv_general_transpose(g, kernel, 1, steps, unread, spread)
    of_kernel = windows.conv_general_kernel(x, g, (3, 2), 1, steps, padding, spread)
    assert back.shape == x.shape
    assert (x * back).sum() == pytest.approx((y * g).sum())
    assert (kernel * of_kernel).sum() == pytest.approx((y * g).sum())
