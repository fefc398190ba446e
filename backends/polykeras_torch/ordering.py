"""Unsigned integers of 16 to 64 bits, which few PyTorch kernels accept."""

from __future__ import annotations

import torch

__all__ = ["orderable", "restored", "signed"]

_NARROW = (torch.uint16, torch.uint32)
_SIGN = -(2**63)


def signed(x: torch.Tensor) -> torch.Tensor:
    """Return the same bits or values in a signed dtype; sums wrap alike."""
    if x.dtype in _NARROW:
        return x.to(torch.int64)
    return x.view(torch.int64) if x.dtype == torch.uint64 else x


def orderable(x: torch.Tensor) -> torch.Tensor:
    """Return `x` in a dtype that PyTorch can compare, in the same order."""
    if x.dtype == torch.bool:
        return x.to(torch.uint8)
    if x.dtype == torch.uint64:
        # Flipping the sign bit maps 0 .. 2**64 - 1 to -2**63 .. 2**63 - 1.
        return x.view(torch.int64) ^ _SIGN
    return x.to(torch.int64) if x.dtype in _NARROW else x


def restored(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Undo `orderable`."""
    if dtype == torch.uint64:
        return (x ^ _SIGN).view(torch.uint64)
    return x.to(dtype)
