"""`LearningRateSchedule`: what schedules have in common."""

from __future__ import annotations

from typing import Any, Self

from polykeras import config as _config
from polykeras import ops
from polykeras.arguments import CheckedArguments
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.naming import describe, settings

__all__ = ["LearningRateSchedule", "as_float", "positive"]


class LearningRateSchedule(CheckedArguments):
    """Base class of schedules.

    A subclass gives `__call__`, and `get_config` with the constructor's arguments.

    >>> import polykeras as keras
    >>> class Slow(keras.optimizers.schedules.LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 1.0 / (step + 1)
    ...
    ...     def get_config(self):
    ...         return {}
    >>> Slow()(1)
    0.5
    """

    # Where Keras keeps schedules; its files name the module.
    _keras_module = "keras.optimizers.schedules"

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate.

        Args:
            step: How many updates were made: a number or a 0-d tensor.

        Returns:
            A 0-d floating-point tensor.
        """
        raise NotImplementedError(f"{type(self).__name__} has no __call__(step).")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        raise NotImplementedError(f"{type(self).__name__} has no get_config().")

    def __repr__(self) -> str:
        return describe(self, settings(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the schedule that a config describes."""
        return cls(**config)


def as_float(step: Any) -> Tensor:
    """Return the step as a tensor of at least float32, exact up to 2**24."""
    floatx = _config.floatx()
    return ops.cast(step, floatx if floatx == "float64" else "float32")


def positive(value: float, name: str) -> float:
    """Return a positive number as a float, or say which argument is none."""
    if not value > 0:
        raise ArgumentError(f"Expected {name} to be positive, got {value!r}.")
    return value
