"""What encloses the current code: a choice of device, derivatives and maps."""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import Final

import torch

__all__ = [
    "default_device",
    "derivative_depth",
    "device_choice",
    "is_mapped",
    "needs_composition",
]

# How many of our own derivatives enclose the current code: an inner one must
# keep its graph for the outer one.
derivative_depth: ContextVar[int] = ContextVar("polykeras_torch_depth", default=0)
device_choice: ContextVar[torch.device | None] = ContextVar(
    "torch_device", default=None
)


def default_device() -> torch.device:
    """Return where new tensors go: the scope's device, else the accelerator, else CPU.

    ``POLYKERAS_TORCH_DEVICE`` overrides the accelerator.
    """
    return device_choice.get() or _FIRST_DEVICE


def needs_composition() -> bool:
    """Return whether fused kernels are of no use here.

    Some have only a first derivative, and those with one of ours cannot be mapped.
    """
    return derivative_depth.get() > 1 or is_mapped()


def is_mapped() -> bool:
    """Return whether `torch.func` maps or derives the current code."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def _first_device() -> torch.device:
    named = os.environ.get("POLYKERAS_TORCH_DEVICE")
    if named:
        return torch.device(named)
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return accelerator or torch.device("cpu")


_FIRST_DEVICE: Final = _first_device()
