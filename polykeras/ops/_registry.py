"""All declared ops by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["REGISTRY"]

REGISTRY: Final[dict[str, Callable[..., Any]]] = {}
