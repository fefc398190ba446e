"""Kernels of the domain creation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
import numpy as np

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

KERNELS: Final[dict[str, Kernel]] = {"full": lambda s,v,d: np.full(s,v,d), "sum": lambda x, a, k: np.sum(x,axis=a,keepdims=k)}
