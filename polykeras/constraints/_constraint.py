"""`Constraint`: what a variable's value is projected to after each update."""

from __future__ import annotations

from typing import Any, Self

from polykeras.arguments import CheckedArguments
from polykeras.backend import Tensor
from polykeras.naming import describe
from polykeras.registry import deserialize_keras_object

__all__ = ["Constraint"]


class Constraint(CheckedArguments):
    """Base class of constraints.

    A subclass gives `__call__`, and `get_config` with the constructor's arguments.

    >>> import polykeras as keras
    >>> class Small(keras.constraints.Constraint):
    ...     def __call__(self, w):
    ...         return keras.ops.clip(w, -1.0, 1.0)
    >>> Small()(keras.ops.array([-3.0, 0.5]))
    array([-1. ,  0.5], dtype=float32)
    """

    def __call__(self, w: Tensor) -> Tensor:
        """Return the nearest allowed value.

        Args:
            w: A variable's value.

        Returns:
            A tensor of the shape and dtype of `w`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no __call__(w).")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}

    def __repr__(self) -> str:
        return describe(self, self.get_config())

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the constraint that a config describes."""
        return cls(**deserialize_keras_object(config))
