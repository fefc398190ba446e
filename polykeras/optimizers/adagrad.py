"""Adagrad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polykeras import ops
from polykeras.optimizers.base import Optimizer
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = ["Adagrad"]


@public
class Adagrad(Optimizer):
    """Descent in steps divided by the root of the sum of squared gradients.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function that
            returns a number.
        initial_accumulator_value: Where the sums start.
        epsilon: Added to the sum under the root.
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
    >>> keras.optimizers.Adagrad(0.1).apply([v.value], [v])
    >>> [round(float(x), 4) for x in v.numpy()]
    [0.9047, -1.9012]

    Reference: Duchi et al., 2011, "Adaptive subgradient methods for online
    learning and stochastic optimization".
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
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
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        super().build(variables)
        self._accumulators_of_squares = self.add_optimizer_variables(
            variables, "accumulator", self.initial_accumulator_value
        )

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Any
    ) -> None:
        """Update one variable."""
        slot = self._accumulators_of_squares[self._get_variable_index(variable)]
        total = ops.add(slot.value, ops.square(gradient))
        step = ops.divide(
            ops.multiply(self._rate(learning_rate, variable), gradient),
            ops.sqrt(ops.add(total, self.epsilon)),
        )
        slot.assign(total)
        variable.assign(ops.subtract(variable.value, step))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }
