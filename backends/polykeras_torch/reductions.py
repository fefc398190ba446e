"""Kernels of reductions and scans.

PyTorch reads an empty tuple of axes as all axes; here it means none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import torch

from polykeras import dtypes
from polykeras_torch.dtype_names import TORCH_DTYPES
from polykeras_torch.ordering import orderable, restored, signed

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Axes = tuple[int, ...]

_UNSIGNED: Final = frozenset({torch.uint16, torch.uint32, torch.uint64})
_SUMS: Final = {
    native: TORCH_DTYPES[dtypes.sum_dtype(name)]
    for name, native in TORCH_DTYPES.items()
    if dtypes.sum_dtype(name) != name
}
_WIDE: Final = {
    name: TORCH_DTYPES[dtypes.accumulation_dtype(name)] for name in TORCH_DTYPES
}


def _sum(x: torch.Tensor, axis: Axes, keepdims: bool) -> torch.Tensor:
    dtype = _SUMS.get(x.dtype, x.dtype)
    if not axis:
        return x.to(dtype)
    if dtype in _UNSIGNED:
        out = torch.sum(signed(x), axis, keepdims)
        return out.view(dtype) if dtype == torch.uint64 else out.to(dtype)
    if x.dtype.itemsize == 1 and x.is_floating_point():
        x = x.to(torch.float32)
    return torch.sum(x, axis, keepdims, dtype=dtype)


def _prod(x: torch.Tensor, axis: Axes, keepdims: bool, dtype: str) -> torch.Tensor:
    target = TORCH_DTYPES[dtype]
    out = signed(x)
    out = out if target in _UNSIGNED else out.to(_WIDE[dtype])
    for a in reversed(axis):
        out = torch.prod(out, a, keepdims)
    return out.view(target) if target == torch.uint64 else out.to(target)


def _extreme(reduce: Callable[..., Any], combine: Callable[..., Any]) -> Kernel:
    def kernel(
        x: torch.Tensor, axis: Axes, keepdims: bool, initial: Any
    ) -> torch.Tensor:
        if initial is not None and 0 in x.shape and any(x.shape[a] == 0 for a in axis):
            shape = [1 if i in axis else n for i, n in enumerate(x.shape)]
            if not keepdims:
                shape = [n for i, n in enumerate(x.shape) if i not in axis]
            return torch.full(shape, initial, dtype=x.dtype, device=x.device)
        values = orderable(x)
        out = reduce(values, axis, keepdims) if axis else values
        if initial is not None:
            level = torch.as_tensor(initial, dtype=x.dtype, device=x.device)
            out = combine(out, orderable(level))
        return restored(out, x.dtype)

    return kernel


def _position(find: Callable[..., torch.Tensor]) -> Kernel:
    def kernel(x: torch.Tensor, axis: int | None, keepdims: bool) -> torch.Tensor:
        values = orderable(x)
        if axis is not None:
            return find(values, axis, keepdims).to(torch.int32)
        index = find(values.reshape(-1), 0).to(torch.int32)
        return index.reshape((1,) * x.ndim) if keepdims else index

    return kernel


def _any(x: torch.Tensor, axis: Axes, keepdims: bool) -> torch.Tensor:
    return torch.any(x, axis, keepdims) if axis else x


def _all(x: torch.Tensor, axis: Axes, keepdims: bool) -> torch.Tensor:
    return torch.all(x, axis, keepdims) if axis else x


def _scan(accumulate: Callable[..., torch.Tensor]) -> Kernel:
    def kernel(x: torch.Tensor, axis: int, dtype: str) -> torch.Tensor:
        target = TORCH_DTYPES[dtype]
        values = signed(x)
        values = values if target in _UNSIGNED else values.to(_WIDE[dtype])
        out = accumulate(values, axis)
        return out.view(target) if target == torch.uint64 else out.to(target)

    return kernel


KERNELS: Final[dict[str, Kernel]] = {
    "sum": _sum,
    "prod": _prod,
    "max": _extreme(torch.amax, torch.maximum),
    "min": _extreme(torch.amin, torch.minimum),
    "argmax": _position(torch.argmax),
    "argmin": _position(torch.argmin),
    "any": _any,
    "all": _all,
    "cumsum": _scan(torch.cumsum),
    "cumprod": _scan(torch.cumprod),
}
