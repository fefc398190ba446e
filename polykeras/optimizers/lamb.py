"""LAMB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polykeras import ops
from polykeras.optimizers.base import Optimizer
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = ["Lamb"]


@public
class Lamb(Optimizer):
    """Adam with each variable's step as long as the variable itself.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function that
            returns a number.
        beta_1: Decay of the first moment.
        beta_2: Decay of the second moment.
        epsilon: Added to the root of the second moment.
        weight_decay: As for `Optimizer`, like the arguments that follow.
        clipnorm: As for `Optimizer`.
        clipvalue: As for `Optimizer`.
        global_clipnorm: As for `Optimizer`.
        use_ema: As for `Optimizer`.
        ema_momentum: As for `Optimizer`.
        ema_overwrite_frequency: As for `Optimizer`.
        loss_scale_factor: As for `Optimizer`.
        gradient_accumulation_steps: As for `Optimizer`.
        name: The optimizer's name.
        kwargs: As for `Optimizer`.

    >>> import polykeras as keras
    >>> v = keras.Variable([1.0, -2.0])
    >>> keras.optimizers.Lamb(0.1).apply([v.value], [v])
    >>> [round(float(x), 4) for x in v.numpy()]
    [0.8419, -1.8419]

    Reference: You et al., 2020, "Large batch optimization for deep learning",
    algorithm 2.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
            **kwargs,
        )
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Any
    ) -> None:
        """Update one variable."""
        i = self._get_variable_index(variable)
        m, v = self._momentums[i], self._velocities[i]
        m_next = self._toward(m.value, gradient, self.beta_1)
        v_next = self._toward(v.value, ops.square(gradient), self.beta_2)
        mean = ops.divide(m_next, self._bias_correction(self.beta_1, variable))
        variance = ops.divide(v_next, self._bias_correction(self.beta_2, variable))
        update = ops.divide(mean, ops.add(ops.sqrt(variance), self.epsilon))
        length = ops.sqrt(ops.sum(ops.square(variable.value)))
        update_length = ops.sqrt(ops.sum(ops.square(update)))
        both = ops.logical_and(ops.greater(length, 0), ops.greater(update_length, 0))
        trust = ops.where(both, ops.divide(length, update_length), 1.0)
        rate = ops.multiply(trust, self._rate(learning_rate, variable))
        m.assign(m_next)
        v.assign(v_next)
        variable.assign(ops.subtract(variable.value, ops.multiply(rate, update)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
