"""`Regularizer`: a penalty that is a function of one tensor."""

from __future__ import annotations

import math
from typing import Any, Self

from polykeras.arguments import CheckedArguments
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.naming import describe

__all__ = ["Regularizer", "factor"]


class Regularizer(CheckedArguments):
    """Base class of regularizers.

    A subclass gives `__call__`, and `get_config` with the constructor's arguments.

    >>> import polykeras as keras
    >>> class L3(keras.regularizers.Regularizer):
    ...     def __call__(self, x):
    ...         return keras.ops.sum(keras.ops.abs(x) ** 3)
    >>> float(L3()(keras.ops.ones((2,))))
    2.0
    """

    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty.

        Args:
            x: A tensor of any shape.

        Returns:
            A 0-d tensor.
        """
        raise NotImplementedError(f"{type(self).__name__} has no __call__(x).")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}

    def __repr__(self) -> str:
        return describe(self, self.get_config())

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the regularizer that a config describes."""
        return cls(**config)


def factor(value: Any, name: str, default: float = 0.0) -> float:
    """Return a factor as a float; None means `default`.

    Raises:
        ArgumentError: If it is no finite number of at least 0.
    """
    if value is None:
        return default
    if isinstance(value, bool | str | list | tuple | dict):
        number = math.nan
    else:
        number = float(value)
    if not (math.isfinite(number) and number >= 0):
        raise ArgumentError(
            f"Expected {name} to be a finite number of at least 0, got {value!r}."
        )
    return number
