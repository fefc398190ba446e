"""Nadam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from polykeras import ops
from polykeras.optimizers.base import Optimizer
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = ["Nadam"]

# The momentum warms up as 1 - 0.5 * 0.96**step.
_DECAY: Final = 0.96


@public
class Nadam(Optimizer):
    """Adam with Nesterov momentum.

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
    >>> keras.optimizers.Nadam(0.1).apply([v.value], [v])
    >>> [round(float(x), 4) for x in v.numpy()]
    [0.8937, -1.8937]

    Reference: Dozat, 2016, "Incorporating Nesterov momentum into Adam".
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
        dtype = variables[0].dtype if variables else None
        self._schedule_product = self.add_variable(
            (), initializer="ones", dtype=dtype, name="momentum_product"
        )

    def update_variables(
        self, grads: list[Tensor], variables: list[Variable], learning_rate: Any
    ) -> None:
        """Advance the momentum schedule once, then update each variable."""
        product = self._schedule_product
        product.assign(ops.multiply(product.value, self._scheduled_momentum(1)))
        super().update_variables(grads, variables, learning_rate)

    def _scheduled_momentum(self, ahead: int) -> Tensor:
        step = ops.cast(ops.add(self.iterations, ahead), self._schedule_product.dtype)
        decay = ops.multiply(0.5, ops.power(_DECAY, step))
        return ops.multiply(self.beta_1, ops.subtract(1.0, decay))

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Any
    ) -> None:
        """Update one variable."""
        i = self._get_variable_index(variable)
        m, v = self._momentums[i], self._velocities[i]
        now, later = (
            ops.cast(self._scheduled_momentum(ahead), variable.dtype)
            for ahead in (1, 2)
        )
        product = ops.cast(self._schedule_product.value, variable.dtype)
        m_next = self._toward(m.value, gradient, self.beta_1)
        v_next = self._toward(v.value, ops.square(gradient), self.beta_2)
        momentum = ops.divide(
            ops.multiply(later, m_next),
            ops.subtract(1.0, ops.multiply(product, later)),
        )
        fresh = ops.divide(
            ops.multiply(ops.subtract(1.0, now), gradient), ops.subtract(1.0, product)
        )
        variance = ops.divide(v_next, self._bias_correction(self.beta_2, variable))
        step = ops.divide(
            ops.multiply(self._rate(learning_rate, variable), ops.add(momentum, fresh)),
            ops.add(ops.sqrt(variance), self.epsilon),
        )
        m.assign(m_next)
        v.assign(v_next)
        variable.assign(ops.subtract(variable.value, step))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
