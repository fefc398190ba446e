"""Names of dtypes."""

from __future__ import annotations

import functools
from typing import Any

__all__ = ["name_of"]


@functools.cache
def name_of(dtype: Any) -> str:
    """Return the canonical name of a dtype, which NumPy puts together at each call."""
    return str(dtype.name)
