"""Schedules that follow a cosine, with and without restarts."""

from __future__ import annotations

import math
from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.optimizers.schedule import LearningRateSchedule, as_float, positive
from polykeras.registry import public

__all__ = ["CosineDecay", "CosineDecayRestarts"]


def _wave(fraction: Tensor) -> Tensor:
    """Return a factor that falls from 1 to 0 along half a cosine."""
    turn = ops.multiply(math.pi, fraction)
    return ops.multiply(0.5, ops.add(1.0, ops.cos(turn)))


def _above(factor: Tensor, alpha: float) -> Tensor:
    """Return a factor above a floor: `alpha` for 0, and 1 for 1."""
    return ops.add(ops.multiply(1.0 - alpha, factor), float(alpha))


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
        name: str | None = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        """Check and remember the arguments."""
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "decay_steps")
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate."""
        step = as_float(step)
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
        return _above(_wave(ops.divide(done, float(self.decay_steps))), self.alpha)

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
        alpha: The last rate of every period, as a part of the first rate of all.
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
        name: str | None = "SGDRDecay",
    ) -> None:
        """Check and remember the arguments."""
        if t_mul < 1:
            raise ArgumentError(f"Expected t_mul to be at least 1, got {t_mul!r}.")
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = positive(first_decay_steps, "first_decay_steps")
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate."""
        part = ops.divide(as_float(step), float(self.first_decay_steps))
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
        factor = _wave(fraction)
        if self.m_mul != 1:
            scale = ops.power(ops.cast(self.m_mul, ops.dtype(part)), period)
            factor = ops.multiply(scale, factor)
        return ops.multiply(
            float(self.initial_learning_rate), _above(factor, self.alpha)
        )

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
