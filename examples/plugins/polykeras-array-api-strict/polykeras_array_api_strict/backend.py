"""`StrictBackend`: array-api-strict, differentiated by polykeras' tape."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import Any

import array_api_strict
import numpy as np

from polykeras.backend import Kernel
from polykeras.backend.array_api import ArrayAPIBackend

__all__ = ["StrictBackend"]


class StrictBackend(ArrayAPIBackend):
    """Every kernel comes from the array API standard; none is written here."""

    def __init__(self) -> None:
        """Bind the namespace."""
        super().__init__(array_api_strict, "array-api-strict")

    def own_kernels(self) -> Mapping[str, Kernel]:
        """Return the standard's kernels, without NumPy's warnings of overflow."""
        kernels = super().own_kernels()
        return {name: _quiet(kernel) for name, kernel in kernels.items()}


def _quiet(kernel: Kernel) -> Kernel:
    @wraps(kernel)
    def call(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return kernel(*args)

    return call
