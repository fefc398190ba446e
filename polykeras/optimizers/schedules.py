"""Learning rates that change with the number of updates.

Each schedule is a function of the step made of ops, so it runs inside a compiled
training step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from polykeras import config as _config
from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
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


class LearningRateSchedule:
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

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the schedule that a config describes."""
        return cls(**config)


def _as_float(step: Any) -> Tensor:
    """Return the step as a tensor of at least float32, exact up to 2**24."""
    floatx = _config.floatx()
    return ops.cast(step, floatx if floatx == "float64" else "float32")


def _positive(value: float, name: str) -> float:
    if not value > 0:
        raise ArgumentError(f"Expected {name} to be positive, got {value!r}.")
    return value


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
        name: str = "ExponentialDecay",
    ) -> None:
        """Check and remember the arguments."""
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps, "decay_steps")
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate."""
        exponent = ops.divide(_as_float(step), float(self.decay_steps))
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
        name: str = "InverseTimeDecay",
    ) -> None:
        """Check and remember the arguments."""
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps, "decay_steps")
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate."""
        part = ops.divide(_as_float(step), float(self.decay_steps))
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
        name: str = "PiecewiseConstant",
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
        step = _as_float(step)
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
        name: str = "PolynomialDecay",
    ) -> None:
        """Check and remember the arguments."""
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps, "decay_steps")
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate."""
        step = _as_float(step)
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


def _cosine(fraction: Tensor, alpha: float) -> Tensor:
    """Return a factor that falls from 1 to `alpha` along half a cosine."""
    wave = ops.add(1.0, ops.cos(ops.multiply(math.pi, fraction)))
    return ops.add(ops.multiply(0.5 * (1.0 - alpha), wave), float(alpha))


@public
class CosineDecay(LearningRateSchedule):
    """Falls along half a cosine, after a linear warm-up if one is asked for.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Over how many steps the rate falls, positive; the warm-up
            comes before.
        alpha: The last rate, as a part of the first (or of `warmup_target`).
        name: A name.
        warmup_target: The rate at the end of the warm-up; None for no warm-up.
        warmup_steps: How long the warm-up takes.

    Raises:
        ArgumentError: If `decay_steps` is not positive.

    Reference: Loshchilov and Hutter, 2017, "SGDR: Stochastic Gradient Descent with
    Warm Restarts", equation 5.

    >>> import polykeras as keras
    >>> float(keras.optimizers.schedules.CosineDecay(1.0, 10)(10))
    0.0
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        """Check and remember the arguments."""
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps, "decay_steps")
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate."""
        step = _as_float(step)
        start, warm = float(self.initial_learning_rate), self.warmup_target
        if warm is None:
            return ops.multiply(start, self._fall(step))
        falling = ops.multiply(
            float(warm), self._fall(ops.subtract(step, float(self.warmup_steps)))
        )
        if not self.warmup_steps:
            return falling
        risen = ops.divide(step, float(self.warmup_steps))
        rising = ops.add(ops.multiply(warm - start, risen), start)
        return ops.where(ops.less(step, float(self.warmup_steps)), rising, falling)

    def _fall(self, step: Tensor) -> Tensor:
        done = ops.minimum(step, float(self.decay_steps))
        return _cosine(ops.divide(done, float(self.decay_steps)), self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


@public
class CosineDecayRestarts(LearningRateSchedule):
    """Falls along half a cosine again and again.

    Args:
        initial_learning_rate: The rate at step 0.
        first_decay_steps: How long the first period is, positive.
        t_mul: How much longer each period is than the one before, at least 1.
        m_mul: The first rate of a period, as a part of that of the one before.
        alpha: The last rate of a period, as a part of its first.
        name: A name.

    Raises:
        ArgumentError: If `first_decay_steps` is not positive or `t_mul` below 1.

    Reference: Loshchilov and Hutter, 2017, "SGDR: Stochastic Gradient Descent with
    Warm Restarts", section 3.

    >>> import polykeras as keras
    >>> rate = keras.optimizers.schedules.CosineDecayRestarts(1.0, 10)
    >>> float(rate(0)), float(rate(10))
    (1.0, 1.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        """Check and remember the arguments."""
        if t_mul < 1:
            raise ArgumentError(f"Expected t_mul to be at least 1, got {t_mul!r}.")
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = _positive(first_decay_steps, "first_decay_steps")
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate."""
        part = ops.divide(_as_float(step), float(self.first_decay_steps))
        if self.t_mul == 1:
            period = ops.floor(part)
            fraction = ops.subtract(part, period)
        else:
            # Periods before number i take (t**i - 1) / (t - 1) of the first one.
            ratio = float(self.t_mul)
            grown = ops.add(ops.multiply(part, ratio - 1.0), 1.0)
            period = ops.floor(ops.divide(ops.log(grown), math.log(ratio)))
            base = ops.cast(ratio, ops.dtype(part))
            # The logarithm may round across the border: settle it by the powers.
            above = ops.greater_equal(grown, ops.power(base, ops.add(period, 1.0)))
            period = ops.add(period, ops.cast(above, ops.dtype(part)))
            below = ops.less(grown, ops.power(base, period))
            period = ops.subtract(period, ops.cast(below, ops.dtype(part)))
            length = ops.power(base, period)
            passed = ops.divide(ops.subtract(length, 1.0), ratio - 1.0)
            fraction = ops.divide(ops.subtract(part, passed), length)
        rate = ops.multiply(
            float(self.initial_learning_rate), _cosine(fraction, self.alpha)
        )
        if self.m_mul == 1:
            return rate
        scale = ops.power(ops.cast(self.m_mul, ops.dtype(part)), period)
        return ops.multiply(rate, scale)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
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
