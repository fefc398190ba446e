"""Kernels of Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Pair = tuple[Tensor, Tensor]


def _wide(x: Tensor) -> Tensor:
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def _joined(x: Pair) -> Tensor:
    return torch.complex(_wide(x[0]), _wide(x[1]))


def _parted(x: Tensor, dtype: torch.dtype) -> Pair:
    return x.real.to(dtype), x.imag.to(dtype)


def _on_pairs(transform: Callable[[Tensor], Tensor]) -> Kernel:
    def call(x: Pair) -> Pair:
        return _parted(transform(_joined(x)), x[0].dtype)

    return call


def rfft(x: Tensor, fft_length: int) -> Pair:
    """Transform real signals."""
    return _parted(torch.fft.rfft(_wide(x), n=fft_length), x.dtype)


def irfft(x: Pair, fft_length: int) -> Tensor:
    """Return real signals."""
    signal: Tensor = torch.fft.irfft(_joined(x), n=fft_length)
    return signal.to(x[0].dtype)


KERNELS: Final[dict[str, Kernel]] = {
    "fft": _on_pairs(torch.fft.fft),
    "fft2": _on_pairs(torch.fft.fft2),
    "ifft2": _on_pairs(torch.fft.ifft2),
    "rfft": rfft,
    "irfft": irfft,
}
