"""Penalties on the size of values."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.registry import public
from polykeras.regularizers._regularizer import Regularizer, factor

__all__ = ["L1", "L1L2", "L2"]


@public
class L1(Regularizer):
    """Penalises the sum of absolute values.

    Args:
        l1: The factor.

    Raises:
        ArgumentError: If the factor is negative or not finite.

    >>> import polykeras as keras
    >>> float(keras.regularizers.L1(0.5)(keras.ops.array([1.0, -3.0])))
    2.0
    """

    def __init__(self, l1: float = 0.01) -> None:
        """Remember the factor."""
        self.l1 = factor(l1, "l1", 0.01)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty, a 0-d tensor."""
        return ops.multiply(self.l1, ops.sum(ops.abs(x)))

    def get_config(self) -> dict[str, Any]:
        """Return the factor."""
        return {"l1": self.l1}


@public
class L2(Regularizer):
    """Penalises the sum of squares.

    Args:
        l2: The factor.

    Raises:
        ArgumentError: If the factor is negative or not finite.

    >>> import polykeras as keras
    >>> float(keras.regularizers.L2(0.5)(keras.ops.array([1.0, -3.0])))
    5.0
    """

    def __init__(self, l2: float = 0.01) -> None:
        """Remember the factor."""
        self.l2 = factor(l2, "l2", 0.01)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty, a 0-d tensor."""
        return ops.multiply(self.l2, ops.sum(ops.square(x)))

    def get_config(self) -> dict[str, Any]:
        """Return the factor."""
        return {"l2": self.l2}


@public
class L1L2(Regularizer):
    """Penalises the sum of absolute values and the sum of squares.

    Args:
        l1: The factor of the former.
        l2: The factor of the latter.

    Raises:
        ArgumentError: If a factor is negative or not finite.

    >>> import polykeras as keras
    >>> float(keras.regularizers.L1L2(1.0, 0.5)(keras.ops.array([1.0, -3.0])))
    9.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        """Remember the factors."""
        self.l1 = factor(l1, "l1")
        self.l2 = factor(l2, "l2")

    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty, a 0-d tensor."""
        terms = []
        if self.l1 or not self.l2:
            terms.append(ops.multiply(self.l1, ops.sum(ops.abs(x))))
        if self.l2:
            terms.append(ops.multiply(self.l2, ops.sum(ops.square(x))))
        return terms[0] if len(terms) == 1 else ops.add(*terms)

    def get_config(self) -> dict[str, Any]:
        """Return the factors."""
        return {"l1": self.l1, "l2": self.l2}
