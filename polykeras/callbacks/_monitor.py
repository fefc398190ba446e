"""Which direction of a monitored value is better."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from polykeras.errors import ArgumentError, nearest

__all__ = ["better_than", "monitored", "worst"]

# Metrics of which more is better; of everything else less is.
_RISING = ("acc", "auc", "precision", "recall", "f1", "fbeta", "iou", "r2", "score")


def _rises(monitor: str, mode: str) -> bool:
    if mode not in ("auto", "min", "max"):
        raise ArgumentError(
            f"Unknown mode {mode!r}. {nearest(mode, ('auto', 'min', 'max'))}"
        )
    if mode != "auto":
        return mode == "max"
    return any(word in monitor.lower() for word in _RISING)


def better_than(monitor: str, mode: str, min_delta: float = 0.0) -> Callable[..., bool]:
    """Return a function that says whether a value improves on a reference."""
    delta = abs(min_delta)
    if _rises(monitor, mode):
        return lambda value, best: bool(value - delta > best)
    return lambda value, best: bool(value + delta < best)


def worst(monitor: str, mode: str) -> float:
    """Return the value that anything improves on."""
    return -np.inf if _rises(monitor, mode) else np.inf


def monitored(logs: dict[str, Any], monitor: str, who: str) -> Any:
    """Return the monitored value, or None with a warning that says what there is."""
    value = logs.get(monitor)
    if value is None:
        warnings.warn(
            f"{who} monitors {monitor!r}, which is not in the logs. There are: "
            f"{', '.join(logs)}.",
            stacklevel=3,
        )
    return value
