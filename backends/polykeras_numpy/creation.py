"""Kernels of the domain creation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import dtypes
from polykeras_numpy.quiet import quiet

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS"]

_native: Final = dtypes.as_numpy_dtype


@quiet
def _cast(x: Array, dtype: str) -> Array:
    if x.dtype.kind == "c" and dtype not in dtypes.COMPLEX and dtype != "bool":
        x = x.real
    return x.astype(_native(dtype))


def _full(shape: tuple[int, ...], fill_value: Any, dtype: str) -> Array:
    return np.full(shape, fill_value, _native(dtype))


def _view(x: Array, dtype: str) -> Array:
    return np.ascontiguousarray(x).reshape(x.shape).view(_native(dtype))


def _zeros_like(x: Array, dtype: str) -> Array:
    return np.zeros(x.shape, _native(dtype))


def _ones_like(x: Array, dtype: str) -> Array:
    return np.ones(x.shape, _native(dtype))


def _eye(N: int, M: int, k: int, dtype: str) -> Array:
    return np.eye(N, M, k, _native(dtype))


def _tri(N: int, M: int, k: int, dtype: str) -> Array:
    return np.tri(N, M, k, _native(dtype))


def _tril(x: Array, k: int) -> Array:
    return np.tril(x, k)


def _triu(x: Array, k: int) -> Array:
    return np.triu(x, k)


KERNELS: Final[dict[str, Kernel]] = {
    "cast": _cast,
    "eye": _eye,
    "full": _full,
    "ones_like": _ones_like,
    "tri": _tri,
    "tril": _tril,
    "triu": _triu,
    "view": _view,
    "zeros_like": _zeros_like,
}
