"""Kernels of the domain creation, out of the array API standard."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from polykeras import dtypes

if TYPE_CHECKING:
    from polykeras.backend._base import Array
    from polykeras.backend._kernels import Kernel
    from polykeras.backend.array_api._backend import ArrayAPIBackend

__all__ = ["float_range", "kernels"]


def float_range(start: float, stop: float, step: float) -> Array:
    """Return ``start + i * step`` in double precision, `stop` excluded.

    Every backend takes the values of a float `arange` from here, so they are the
    same bits on all of them.
    """
    n = max(0, math.ceil((stop - start) / step))
    return start + step * np.arange(n, dtype=np.float64)


def kernels(backend: ArrayAPIBackend) -> dict[str, Kernel]:
    """Return op name to kernel for the namespace ``backend.xp``."""
    xp, native = backend.xp, backend.native_dtype

    def full(shape: tuple[int, ...], fill_value: Any, dtype: str) -> Any:
        if dtypes.weak_dtype(fill_value) is None:
            return xp.asarray(xp.broadcast_to(fill_value, shape), copy=True)
        if dtype in dtypes.INTEGERS or dtype == "bool":
            fill_value = bool(fill_value) if dtype == "bool" else int(fill_value)
        return xp.full(shape, fill_value, dtype=native(dtype))

    def arange(start: Any, stop: Any, step: Any, dtype: str) -> Any:
        if all(isinstance(x, int) for x in (start, stop, step)):
            return xp.astype(xp.arange(start, stop, step), native(dtype))
        return backend.from_numpy(float_range(start, stop, step), dtype)

    def cast(x: Any, dtype: str) -> Any:
        if dtypes.is_complex(backend.dtype_name(x)) and not dtypes.is_complex(dtype):
            x = x != 0 if dtype == "bool" else xp.real(x)
        return xp.astype(x, native(dtype))

    def view(x: Any, dtype: str) -> Any:
        # The standard has no view of the bits.
        values = np.ascontiguousarray(backend.to_numpy(x)).reshape(x.shape)
        return backend.from_numpy(values.view(dtypes.as_numpy_dtype(dtype)), dtype)

    def copy(x: Any) -> Any:
        return xp.asarray(x, copy=True)

    def stop_gradient(variable: Any) -> Any:
        return variable

    return {
        "full": full,
        "arange": arange,
        "cast": cast,
        "view": view,
        "copy": copy,
        "stop_gradient": stop_gradient,
    }
