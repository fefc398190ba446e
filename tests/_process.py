"""What tests ask of the process that runs them."""

from __future__ import annotations

import ctypes
import gc
import sys

__all__ = ["give_memory_back"]


def give_memory_back() -> None:
    """Let go of what nothing refers to, and of what the C library keeps in stock."""
    gc.collect()
    if sys.platform == "linux":
        # Other C libraries than glibc lack the function, and keep less.
        getattr(ctypes.CDLL(None), "malloc_trim", lambda _: 0)(0)
