"""Depthwise convolution as compiled loops.

NumPy adds one product of whole images for each cell of the window, so that the image
goes through memory as often as the window has cells. Here the sum of one
place is formed while its channels are in registers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps
from typing import Any

import numba
import numpy as np

from polykeras.backend import Array, Kernel

__all__ = ["depthwise_or"]

RANK = 2


def depthwise_or(general: Kernel) -> Kernel:
    """Return a kernel of ``conv_general`` for images whose channels stay apart.

    Args:
        general: The kernel for everything else.
    """

    @wraps(general)
    def conv_general(
        inputs: Array,
        kernel: Array,
        strides: Sequence[int],
        padding: Sequence[tuple[int, int]],
        dilation: Sequence[int],
    ) -> Any:
        *window, per_group, filters = kernel.shape
        fits = (
            per_group == 1
            and inputs.shape[-1] == filters
            and len(window) == RANK
            and inputs.dtype.name in ("float32", "float64")
        )
        if not fits:
            return general(inputs, kernel, strides, padding, dilation)
        counts = [
            (n + low + high - (k - 1) * d - 1) // s + 1
            for n, k, s, d, (low, high) in zip(
                inputs.shape[1:-1], window, strides, dilation, padding, strict=True
            )
        ]
        out = np.zeros((len(inputs), *counts, filters), inputs.dtype)
        _depthwise(
            out,
            np.ascontiguousarray(inputs),
            np.ascontiguousarray(kernel[:, :, 0]),
            (strides[0], strides[1]),
            (padding[0][0], padding[1][0]),
            (dilation[0], dilation[1]),
        )
        return out

    return conv_general


@numba.njit(nogil=True, error_model="numpy", fastmath={"contract"})
def _depthwise(
    out: Any, x: Any, kernel: Any, strides: Any, low: Any, dilation: Any
) -> None:
    """Add to `out` (B, H, W, C) the products of `x` (B, H, W, C) and the kernel.

    One row of the result is formed at a time, and stays in the cache meanwhile.
    """
    B, H, W, C = out.shape
    for b in range(B):
        for h in range(H):
            for i in range(kernel.shape[0]):
                row = h * strides[0] - low[0] + i * dilation[0]
                if row < 0 or row >= x.shape[1]:
                    continue
                for w in range(W):
                    for j in range(kernel.shape[1]):
                        column = w * strides[1] - low[1] + j * dilation[1]
                        if 0 <= column < x.shape[2]:
                            for c in range(C):
                                out[b, h, w, c] += (
                                    x[b, row, column, c] * kernel[i, j, c]
                                )
