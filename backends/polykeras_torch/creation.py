"""Kernels of the domain creation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

from polykeras import dtypes
from polykeras.backend.array_api.creation import float_range
from polykeras_torch.dtype_names import TORCH_DTYPES
from polykeras_torch.surroundings import default_device

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]


def _cast(x: torch.Tensor, dtype: str) -> torch.Tensor:
    if x.is_complex() and dtype not in dtypes.COMPLEX and dtype != "bool":
        x = torch.real(x)
    return x.to(TORCH_DTYPES[dtype])


def _full(shape: tuple[int, ...], fill_value: Any, dtype: str) -> torch.Tensor:
    native = TORCH_DTYPES[dtype]
    if isinstance(fill_value, torch.Tensor):
        return fill_value.expand(shape).clone()
    return torch.full(shape, fill_value, dtype=native, device=default_device())


def _arange(start: Any, stop: Any, step: Any, dtype: str) -> torch.Tensor:
    native = TORCH_DTYPES[dtype]
    if all(isinstance(x, int) for x in (start, stop, step)):
        if (stop - start) * step <= 0:
            return torch.empty(0, dtype=native, device=default_device())
        whole = torch.arange(start, stop, step, device=default_device())
        return whole.to(native)
    values = torch.from_numpy(float_range(start, stop, step))
    return values.to(native).to(default_device())


def _view(x: torch.Tensor, dtype: str) -> torch.Tensor:
    return x.contiguous().view(TORCH_DTYPES[dtype])


def _zeros_like(x: torch.Tensor, dtype: str) -> torch.Tensor:
    return torch.zeros_like(x, dtype=TORCH_DTYPES[dtype])


def _ones_like(x: torch.Tensor, dtype: str) -> torch.Tensor:
    return torch.ones_like(x, dtype=TORCH_DTYPES[dtype])


def _tri(N: int, M: int, k: int, dtype: str) -> torch.Tensor:
    mask = torch.ones(N, M, dtype=torch.bool, device=default_device()).tril(k)
    return mask.to(TORCH_DTYPES[dtype])


def _eye(N: int, M: int, k: int, dtype: str) -> torch.Tensor:
    below = torch.ones(N, M, dtype=torch.bool, device=default_device()).tril(k)
    return below.triu(k).to(TORCH_DTYPES[dtype])


def _stop_gradient(variable: torch.Tensor) -> torch.Tensor:
    return variable.detach()


KERNELS: Final[dict[str, Kernel]] = {
    "arange": _arange,
    "cast": _cast,
    "copy": torch.clone,
    "eye": _eye,
    "full": _full,
    "ones_like": _ones_like,
    "stop_gradient": _stop_gradient,
    "tri": _tri,
    "tril": torch.tril,
    "triu": torch.triu,
    "view": _view,
    "zeros_like": _zeros_like,
}
