"""Kernels of the domain elementwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

KERNELS: Final[dict[str, Kernel]] = {}
