"""Bounds on the sizes of sums of products, whatever the size of the factors."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from polykeras.backend import Array

__all__ = ["product_magnitudes", "scaled", "sums_of_squares"]

_SQUARABLE: Final = 1e15
"""Numbers up to this one have squares, and sums of squares, in float32."""


def sums_of_squares(x: Array, axis: int) -> Array:
    """Return the sums of squares over all other axes."""
    letters = "abcdefghij"[: x.ndim]
    x = _squarable(x)
    squares: Array = np.einsum(f"{letters},{letters}->{letters[axis]}", x, x)
    return squares


def _squarable(x: Array) -> Array:
    """Return numbers of which the squares neither overflow nor all underflow."""
    return x if _exponent(x) is None else x.astype(np.float64)


def scaled(x: Array) -> tuple[Array, float]:
    """Return such numbers in the same dtype, and the power of two they are short of."""
    exponent = _exponent(x)
    if exponent is None:
        return x, 1.0
    return np.ldexp(x, -exponent), 2.0**exponent


def _exponent(x: Array) -> int | None:
    """Return that of the largest number, None where squares have room in float32."""
    if x.dtype != np.float32 or not x.size:
        return None
    largest = max(float(x.max()), -float(x.min()))
    if 1 / _SQUARABLE < largest < _SQUARABLE or not 0 < largest < np.inf:
        return None
    return math.frexp(largest)[1]


def product_magnitudes(x: Array, y: Array) -> Array:
    """Return ``sqrt(n) + 1`` times a bound on the sums of magnitudes of a product.

    By Cauchy and Schwarz they are at most the products of the norms of rows and
    columns, which cost less than a second product.
    """
    x, y = _squarable(x), _squarable(y)
    rows = (math.sqrt(x.shape[-1]) + 1) * np.sqrt(np.einsum("...i,...i->...", x, x))
    columns = np.sqrt(np.sum(np.square(y), -2 if y.ndim > 1 else -1))
    if x.ndim > 1 and y.ndim > 1:
        rows, columns = rows[..., :, None], columns[..., None, :]
    elif x.ndim > 1 and y.ndim == 1:
        columns = np.asarray(columns)
    elif y.ndim > 1:
        rows = np.asarray(rows)
    result: Array = rows * columns
    return result
