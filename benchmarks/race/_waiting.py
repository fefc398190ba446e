"""Waiting for a device."""

from __future__ import annotations

from typing import Any

__all__ = ["finished"]


def finished(outputs: Any) -> Any:
    """Return outputs when they are computed.

    Args:
        outputs: A tensor of any library.
    """
    wait = getattr(outputs, "block_until_ready", None)
    if wait is not None:
        return wait()
    if getattr(outputs, "is_cuda", False):
        import torch

        torch.cuda.synchronize()
    return outputs
