"""Canonical dtype names and PyTorch's dtype objects."""

from __future__ import annotations

from typing import Final

import torch

from polykeras import dtypes

__all__ = ["DTYPE_NAMES", "TORCH_DTYPES"]

TORCH_DTYPES: Final[dict[str, torch.dtype]] = {
    name: getattr(torch, name) for name in dtypes.ALL if hasattr(torch, name)
}
DTYPE_NAMES: Final[dict[torch.dtype, str]] = {
    native: name for name, native in TORCH_DTYPES.items()
}
