"""Kernels of linear algebra that NumPy does better than the standard's functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import ml_dtypes
import numpy as np

from polykeras_numpy.buffers import SMALLEST, empty

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS"]

# NumPy multiplies these value by value, without BLAS and rounding at each step.
_SMALL: Final = frozenset(
    np.dtype(t)
    for t in (
        np.float16,
        ml_dtypes.bfloat16,
        ml_dtypes.float8_e4m3fn,
        ml_dtypes.float8_e5m2,
    )
)

# Numbers in a result up to which the allocator serves from memory that it holds.
_FEW: Final = SMALLEST // 8


def _widened(kernel: Callable[..., Any]) -> Kernel:
    """Run a kernel in float32 for small floats, and round the results."""

    @wraps(kernel)
    def call(*args: Any) -> Any:
        dtype = args[0].dtype
        if dtype not in _SMALL:
            return kernel(*args)
        wide = [a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in args]
        out = kernel(*wide)
        if isinstance(out, tuple):
            return tuple(o.astype(dtype) for o in out)
        return out.astype(dtype)

    return call


def matmul(x1: Array, x2: Array) -> Array:
    """Multiply matrices; leading axes of `x1` join the rows where `x2` is one."""
    few = x1.ndim == x2.ndim == 2 and len(x1) * x2.shape[1] < _FEW
    if few and x1.dtype.char in "fd":
        # It looks at less than `np.matmul`, and takes a quarter of a microsecond less.
        return np.asarray(x1.dot(x2))
    if x1.dtype in _SMALL:
        wide = np.matmul(x1.astype(np.float32), x2.astype(np.float32))
        return np.asarray(wide).astype(x1.dtype)
    if x2.ndim == 2 and x1.ndim >= 2 and x1.shape[-1] == x2.shape[0] and x1.size:
        out = empty((*x1.shape[:-1], x2.shape[1]), x1.dtype)
        rows = out if x1.ndim == 2 else out.reshape(-1, x2.shape[1])
        np.matmul(x1.reshape(-1, x1.shape[-1]) if x1.ndim > 2 else x1, x2, out=rows)
        return out
    return np.asarray(np.matmul(x1, x2))


def fitting_matmul(x1: Any, x2: Any) -> tuple[Kernel, tuple[Any, ...]]:
    """Return what `matmul` calls for arguments of these shapes and dtypes."""
    few = len(x1.shape) == len(x2.shape) == 2 and x1.shape[0] * x2.shape[1] < _FEW
    dots = few and x1.dtype in {"float32", "float64"}
    return (np.ndarray.dot if dots else matmul), ()


@_widened
def tensordot(x1: Array, x2: Array, axes: Any) -> Array:
    """Contract axes."""
    return np.asarray(np.tensordot(x1, x2, axes))


def _square(x: Array) -> Array:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError("not square")
    return x


@_widened
def det(x: Array) -> Array:
    """Return determinants."""
    with np.errstate(all="ignore"):
        return np.asarray(np.linalg.det(_square(x)))


@_widened
def slogdet(x: Array) -> tuple[Array, Array]:
    """Return signs and logarithms of determinants."""
    with np.errstate(all="ignore"):
        sign, logarithm = np.linalg.slogdet(_square(x))
    return np.asarray(sign), np.asarray(logarithm)


@_widened
def inv(x: Array) -> Array:
    """Return inverses, NaN where there is none."""
    try:
        return np.linalg.inv(_square(x))
    except np.linalg.LinAlgError:
        flat = x.reshape(-1, *x.shape[-2:])
        return np.stack([_inverse_or_nan(a) for a in flat]).reshape(x.shape)


def _inverse_or_nan(x: Array) -> Array:
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        return np.full_like(x, np.nan)


def eig(x: Array) -> tuple[Array, Array]:
    """Return complex eigenvalues and eigenvectors, also where they are real."""
    dtype = np.result_type(np.float32 if x.dtype in _SMALL else x.dtype, np.complex64)
    w, v = np.linalg.eig(_square(x).astype(dtype))
    return w.astype(dtype, copy=False), v.astype(dtype, copy=False)


KERNELS: Final[dict[str, Kernel]] = {
    "matmul": matmul,
    "tensordot": tensordot,
    "det": det,
    "slogdet": slogdet,
    "inv": inv,
    "eig": eig,
}
