"""Kernels of the domain elementwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
import numpy as np

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

KERNELS: Final[dict[str, Kernel]] = {"exp": np.exp, "add": np.add, "multiply": np.multiply, "cast": lambda x, d: x.astype(d)}
