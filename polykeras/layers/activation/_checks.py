"""What the parameters of activations must be."""

from __future__ import annotations

from typing import Any

from polykeras.errors import ArgumentError

__all__ = ["at_least_zero"]


def at_least_zero(layer: str, name: str, value: Any) -> float:
    """Return the value of a parameter that may not be negative.

    Raises:
        ArgumentError: If it is None or below 0.
    """
    if value is None or value < 0:
        raise ArgumentError(f"{layer} needs {name} to be at least 0, got {value!r}.")
    return float(value)
