"""Learning rates that change with the number of updates.

Each schedule is a function of the step made of ops, so it runs inside a compiled
training step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.optimizers.cosine_schedules import CosineDecay, CosineDecayRestarts
from polykeras.optimizers.schedule import LearningRateSchedule, as_float, positive
from polykeras.registry import (
    deserialize_keras_object,
    public,
    serialize_keras_object,
)

__all__ = [
    "ALL",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


@public
class ExponentialDecay(LearningRateSchedule):
    """Multiplies the rate by a factor every so many steps.

    ``initial_learning_rate * decay_rate ** (step / decay_steps)``

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: After how many steps the factor applies once, positive.
        decay_rate: The factor.
        staircase: Whether the exponent is rounded down.
        name: A name.

    Raises:
        ArgumentError: If `decay_steps` is not positive.

    >>> import polykeras as keras
    >>> float(keras.optimizers.schedules.ExponentialDecay(1.0, 10, 0.5)(20))
    0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = "ExponentialDecay",
    ) -> None:
        """Check and remember the arguments."""
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "decay_steps")
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate."""
        exponent = ops.divide(as_float(step), float(self.decay_steps))
        if self.staircase:
            exponent = ops.floor(exponent)
        factor = ops.power(ops.cast(self.decay_rate, ops.dtype(exponent)), exponent)
        return ops.multiply(self.initial_learning_rate, factor)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


@public
class InverseTimeDecay(LearningRateSchedule):
    """Divides the rate by a number that grows linearly.

    ``initial_learning_rate / (1 + decay_rate * step / decay_steps)``

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: After how many steps the divisor has grown by `decay_rate`.
        decay_rate: How much it grows.
        staircase: Whether the quotient of steps is rounded down.
        name: A name.

    Raises:
        ArgumentError: If `decay_steps` is not positive.

    >>> import polykeras as keras
    >>> float(keras.optimizers.schedules.InverseTimeDecay(1.0, 10, 1.0)(30))
    0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = "InverseTimeDecay",
    ) -> None:
        """Check and remember the arguments."""
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "decay_steps")
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate."""
        part = ops.divide(as_float(step), float(self.decay_steps))
        if self.staircase:
            part = ops.floor(part)
        divisor = ops.add(1.0, ops.multiply(float(self.decay_rate), part))
        return ops.divide(float(self.initial_learning_rate), divisor)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


@public
class PiecewiseConstantDecay(LearningRateSchedule):
    """Uses one rate up to and including each boundary.

    Args:
        boundaries: Increasing steps.
        values: One rate more than there are boundaries.
        name: A name.

    Raises:
        ArgumentError: If the numbers of boundaries and values do not fit.

    >>> import polykeras as keras
    >>> rate = keras.optimizers.schedules.PiecewiseConstantDecay([10], [1.0, 0.5])
    >>> float(rate(10)), float(rate(11))
    (1.0, 0.5)
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str | None = "PiecewiseConstant",
    ) -> None:
        """Check and remember the arguments."""
        if len(boundaries) != len(values) - 1:
            raise ArgumentError(
                "Expected one value more than there are boundaries, got "
                f"{len(boundaries)} boundaries and {len(values)} values."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate."""
        step = as_float(step)
        rate = ops.cast(self.values[0], ops.dtype(step))
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = ops.where(ops.greater(step, float(boundary)), float(value), rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "boundaries": list(self.boundaries),
            "values": list(self.values),
            "name": self.name,
        }


@public
class PolynomialDecay(LearningRateSchedule):
    """Goes from one rate to another along a power of the steps left.

    ``(initial - end) * (1 - min(step, decay_steps) / decay_steps) ** power + end``

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: When the end is reached, positive.
        end_learning_rate: The rate at the end.
        power: The exponent; 1 is a straight line.
        cycle: Whether to stretch `decay_steps` to its next multiple beyond the
            step instead of staying at the end.
        name: A name.

    Raises:
        ArgumentError: If `decay_steps` is not positive.

    >>> import polykeras as keras
    >>> float(keras.optimizers.schedules.PolynomialDecay(1.0, 10, 0.0)(5))
    0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = "PolynomialDecay",
    ) -> None:
        """Check and remember the arguments."""
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "decay_steps")
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate."""
        step = as_float(step)
        part = ops.divide(step, float(self.decay_steps))
        if self.cycle:
            part = ops.divide(part, ops.maximum(ops.ceil(part), 1.0))
        else:
            part = ops.minimum(part, 1.0)
        left = ops.subtract(1.0, part)
        if self.power != 1:
            left = ops.power(left, float(self.power))
        span = self.initial_learning_rate - self.end_learning_rate
        return ops.add(ops.multiply(span, left), float(self.end_learning_rate))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


ALL: Final[dict[str, type[LearningRateSchedule]]] = {
    "CosineDecay": CosineDecay,
    "CosineDecayRestarts": CosineDecayRestarts,
    "ExponentialDecay": ExponentialDecay,
    "InverseTimeDecay": InverseTimeDecay,
    "PiecewiseConstantDecay": PiecewiseConstantDecay,
    "PolynomialDecay": PolynomialDecay,
}
"""Every name of a schedule in a config."""


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Return plain data that describes a schedule."""
    data: dict[str, Any] = serialize_keras_object(learning_rate_schedule)
    return data


def deserialize(
    config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Return the schedule that plain data describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Names of classes besides registered ones.
    """
    return deserialize_keras_object(
        config, custom_objects=custom_objects, module_objects=ALL
    )
