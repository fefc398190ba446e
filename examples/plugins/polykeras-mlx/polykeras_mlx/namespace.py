"""MLX as a namespace of the array API standard, as far as kernels need one.

Most of `mlx.core` follows the standard; what it lacks or spells otherwise is here.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, Final

import mlx.core as mx
import numpy as np

bool = mx.bool_  # the standard's name
_FLOATS: Final = (mx.float16, mx.bfloat16, mx.float32, mx.float64)
_BITS: Final = {2: mx.int16, 4: mx.int32, 8: mx.int64}


def __getattr__(name: str) -> Any:
    return getattr(mx, name)


def asarray(x: Any, *, dtype: Any = None, copy: Any = None) -> mx.array:
    """Return an array; a copy is another handle, as assignments change no memory."""
    return mx.array(x, dtype)


def full(shape: Any, value: Any, *, dtype: Any) -> mx.array:
    """Return one value in a shape; MLX keeps the dtype of a value that is an array."""
    return mx.full(shape, value, dtype).astype(dtype)


def astype(x: mx.array, dtype: Any, *, copy: Any = True) -> mx.array:
    """Return the values in another dtype."""
    return x.astype(dtype)


def host_for_float64(native: Any, host: Any) -> Any:
    """Return a function that NumPy computes in float64, which MLX does in float32."""

    def function(*args: mx.array) -> mx.array:
        if args[0].dtype != mx.float64:
            return native(*args)
        with np.errstate(all="ignore"):
            return mx.array(host(*map(np.asarray, args)), mx.float64)

    return function


def iinfo(dtype: Any) -> Any:
    """Return the limits of an integer dtype."""
    limits = mx.iinfo(dtype)
    return SimpleNamespace(min=limits.min, max=limits.max, bits=8 * dtype.size)


# -- elementwise -----------------------------------------------------------------------


def signbit(x: mx.array) -> mx.array:
    """Return whether the sign bit is set, of zeros and NaN too."""
    return (x.view(_BITS[x.dtype.size]) if x.dtype in _FLOATS else x) < 0


def nextafter(x1: mx.array, x2: mx.array) -> mx.array:
    """Step to the neighbouring number, which is one more or less in its bits."""
    bits = _BITS[x1.dtype.size]
    x1, x2 = mx.broadcast_arrays(x1, x2)
    outward = (x2 > x1) == (x1 > 0)
    stepped = x1.view(bits) + mx.where(outward, 1, -1).astype(bits)
    smallest = mx.array(1, bits).view(x1.dtype)
    from_zero = mx.where(x2 > 0, smallest, -smallest)
    moved = mx.where(x1 == 0, from_zero, stepped.view(x1.dtype))
    return mx.where(mx.isnan(x1) | mx.isnan(x2), x1 + x2, mx.where(x1 == x2, x2, moved))


def hypot(x1: mx.array, x2: mx.array) -> mx.array:
    """Return the length of a vector, scaled so that no square overflows."""
    x1, x2 = mx.abs(x1), mx.abs(x2)
    large, small = mx.maximum(x1, x2), mx.minimum(x1, x2)
    ratio = small / mx.where(large == 0, mx.ones_like(large), large)
    length = large * mx.sqrt(1 + ratio * ratio)
    return mx.where(mx.isinf(x1) | mx.isinf(x2), math.inf, length)


def nonzero(x: mx.array) -> tuple[mx.array, ...]:
    """Return the places of what is not zero, found on the host."""
    return tuple(mx.array(i) for i in np.nonzero(np.asarray(x != 0)))


def exp(x: mx.array) -> mx.array:
    """Return the exponential out of `mx.expm1`; MLX's own errs by up to 60 ULP."""
    if x.dtype not in (mx.float32, mx.float64):
        return mx.exp(x)
    outward = mx.expm1(mx.abs(x)) + 1
    return mx.where(x < 0, 1 / outward, outward)


def floor_divide(x1: mx.array, x2: mx.array) -> mx.array:
    """Round the quotient down, even where it underflows; that of an infinity is NaN."""
    out = mx.floor_divide(x1, x2)
    if x1.dtype not in _FLOATS:
        return out
    below = (out == 0) & (x1 != 0) & ((x1 < 0) != (x2 < 0))
    out = mx.where(below, mx.array(-1, out.dtype), out)
    return mx.where(mx.isinf(x1) & (x2 != 0), mx.array(math.nan, out.dtype), out)


def sign(x: mx.array) -> mx.array:
    """Return the sign, NaN of NaN."""
    return mx.where(mx.isnan(x), x, mx.sign(x)) if x.dtype in _FLOATS else mx.sign(x)


sin: Final = host_for_float64(mx.sin, np.sin)
cos: Final = host_for_float64(mx.cos, np.cos)
logaddexp: Final = host_for_float64(mx.logaddexp, np.logaddexp)


# -- reductions and shapes -------------------------------------------------------------


def _reduction(reduce: Any, empty: float) -> Any:
    """Return a reduction that does not leave empty arrays to MLX.

    On CPUs its loop over them takes its length from uninitialised memory.
    """

    def function(
        x: mx.array, *, axis: Any, keepdims: Any = False, dtype: Any = None
    ) -> mx.array:
        if x.size:
            out = reduce(x, axis=axis, keepdims=keepdims)
        else:
            reduced = {a % x.ndim for a in axis}
            kept = [1 if i in reduced else n for i, n in enumerate(x.shape)]
            left = [n for i, n in enumerate(x.shape) if i not in reduced]
            out = mx.full(kept if keepdims else left, empty)
        return out if dtype is None else out.astype(dtype)

    return function


sum: Final = _reduction(mx.sum, 0)
prod: Final = _reduction(mx.prod, 1)
any: Final = _reduction(mx.any, False)
all: Final = _reduction(mx.all, True)


def take_along_axis(x: mx.array, indices: mx.array, *, axis: int) -> mx.array:
    """Pick elements; MLX refuses derivatives by indices, though there are none."""
    return mx.take_along_axis(x, mx.stop_gradient(indices), axis=axis)


def argsort(x: mx.array, *, axis: int, stable: Any) -> mx.array:
    """Return the order; MLX's own is stable."""
    return mx.argsort(x, axis=axis)


def matmul(x1: mx.array, x2: mx.array) -> mx.array:
    """Multiply matrices; those of integers by sums, for MLX multiplies floats only."""
    if mx.issubdtype(x1.dtype, mx.inexact):
        return mx.matmul(x1, x2)
    left = x1[None, :] if x1.ndim == 1 else x1
    right = x2[:, None] if x2.ndim == 1 else x2
    products = left[..., :, :, None] * right[..., None, :, :]
    out = sum(products, axis=(-2,), dtype=x1.dtype)
    ones = [a for a, x in ((-2, x1), (-1, x2)) if x.ndim == 1]
    return out.squeeze(ones) if ones else out


# -- linear algebra --------------------------------------------------------------------


def _cholesky(x: mx.array) -> mx.array:
    """Factor; LAPACK leaves a pivot that is not positive where it stopped."""
    lower = mx.linalg.cholesky(x)
    stopped = ~all(mx.diagonal(lower, axis1=-2, axis2=-1) > 0, axis=(-1,))
    return mx.where(stopped[..., None, None], math.nan, lower)


def _solve(a: mx.array, b: mx.array) -> mx.array:
    """Solve; MLX inverts the factors, and raises late where one is singular."""
    factors, _ = mx.linalg.lu_factor(a)
    singular = any(mx.diagonal(factors, axis1=-2, axis2=-1) == 0, axis=(-1,))
    singular = singular[..., None, None]
    regular = mx.where(singular, mx.eye(a.shape[-1], dtype=a.dtype), a)
    return mx.where(singular, math.nan, mx.linalg.solve(regular, b))


def _qr(x: mx.array, *, mode: str) -> tuple[mx.array, ...]:
    if mode == "reduced":
        return mx.linalg.qr(x)
    q, r = np.linalg.qr(np.asarray(x), mode)
    return mx.array(q, x.dtype), mx.array(r, x.dtype)


def _svd(x: mx.array, *, full_matrices: Any) -> tuple[mx.array, ...]:
    u, s, vt = mx.linalg.svd(x)
    k = s.shape[-1]
    return (u, s, vt) if full_matrices else (u[..., :k], s, vt[..., :k, :])


linalg: Final = SimpleNamespace(
    cholesky=_cholesky,
    eigh=mx.linalg.eigh,
    qr=_qr,
    solve=_solve,
    svd=_svd,
    svdvals=lambda x: mx.linalg.svd(x, compute_uv=False),
)
