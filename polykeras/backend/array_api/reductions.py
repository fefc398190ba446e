"""Kernels of reductions and scans, out of the array API standard."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from polykeras import dtypes

if TYPE_CHECKING:
    from polykeras.backend._base import Tensor
    from polykeras.backend._kernels import Kernel
    from polykeras.backend.array_api._backend import ArrayAPIBackend

__all__ = ["kernels"]

Axes = tuple[int, ...]


def kernels(backend: ArrayAPIBackend) -> dict[str, Kernel]:
    """Return op name to kernel for the namespace ``backend.xp``."""
    xp = backend.xp
    table: dict[str, Kernel] = {
        "any": lambda x, axis, keepdims: xp.any(x, axis=axis, keepdims=keepdims),
        "all": lambda x, axis, keepdims: xp.all(x, axis=axis, keepdims=keepdims),
        "max": _extreme(backend, xp.max, xp.maximum),
        "min": _extreme(backend, xp.min, xp.minimum),
        "argmax": _position(backend, xp.argmax),
        "argmin": _position(backend, xp.argmin),
        "cumsum": _scan(backend, "cumulative_sum"),
        "cumprod": _scan(backend, "cumulative_prod"),
    }

    def reduced(reduce: Any, x: Tensor, axis: Axes, keepdims: bool, dtype: str) -> Any:
        wide = backend.native_dtype(dtypes.accumulation_dtype(dtype))
        target = backend.native_dtype(dtype)
        if x.dtype != wide:
            x = xp.astype(x, wide)
        out = reduce(x, axis=axis, keepdims=keepdims, dtype=wide)
        return out if wide == target else xp.astype(out, target)

    def sum_(x: Tensor, axis: Axes, keepdims: bool) -> Tensor:
        dtype = dtypes.sum_dtype(backend.dtype_name(x))
        return reduced(xp.sum, x, axis, keepdims, dtype)

    def prod(x: Tensor, axis: Axes, keepdims: bool, dtype: str) -> Tensor:
        return reduced(xp.prod, x, axis, keepdims, dtype)

    return {**table, "sum": sum_, "prod": prod}


def _extreme(backend: ArrayAPIBackend, reduce: Any, combine: Any) -> Kernel:
    xp = backend.xp

    def kernel(x: Tensor, axis: Axes, keepdims: bool, initial: Any) -> Tensor:
        # The standard orders numbers only.
        boolean = backend.dtype_name(x) == "bool"
        values = xp.astype(x, xp.uint8) if boolean else x
        if initial is None:
            out = reduce(values, axis=axis, keepdims=keepdims)
        else:
            level = xp.asarray(initial, dtype=values.dtype)
            if 0 in x.shape and any(x.shape[a] == 0 for a in axis):
                kept = [1 if i in axis else n for i, n in enumerate(x.shape)]
                left = [n for i, n in enumerate(x.shape) if i not in axis]
                out = xp.full(tuple(kept if keepdims else left), 0, dtype=values.dtype)
                out = out + level if not boolean else xp.full_like(out, int(initial))
            else:
                out = combine(reduce(values, axis=axis, keepdims=keepdims), level)
        return xp.astype(out, x.dtype) if boolean else out

    return kernel


def _position(backend: ArrayAPIBackend, find: Any) -> Kernel:
    xp = backend.xp

    def kernel(x: Tensor, axis: int | None, keepdims: bool) -> Tensor:
        if backend.dtype_name(x) == "bool":
            x = xp.astype(x, xp.uint8)
        if axis is None:
            index = find(xp.reshape(x, (math.prod(x.shape),)), axis=0)
            if keepdims:
                index = xp.reshape(index, (1,) * len(x.shape))
        else:
            index = find(x, axis=axis, keepdims=keepdims)
        return xp.astype(index, xp.int32)

    return kernel


def _scan(backend: ArrayAPIBackend, name: str) -> Kernel:
    xp = backend.xp

    def kernel(x: Tensor, axis: int, dtype: str) -> Tensor:
        wide = backend.native_dtype(dtypes.accumulation_dtype(dtype))
        target = backend.native_dtype(dtype)
        out = getattr(xp, name)(xp.astype(x, wide), axis=axis)
        return xp.astype(out, target)

    return kernel
