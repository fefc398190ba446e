"""Follow the regularized leader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polykeras import ops
from polykeras.optimizers.base import Optimizer
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = ["Ftrl"]


@public
class Ftrl(Optimizer):
    """Follow the (proximally) regularized leader, for sparse linear models.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function that
            returns a number.
        learning_rate_power: How fast the rate falls, at most 0; 0 keeps it.
        initial_accumulator_value: Where the sums of squares start.
        l1_regularization_strength: Pulls weights to exact zeros.
        l2_regularization_strength: Pulls weights toward zero.
        l2_shrinkage_regularization_strength: Likewise, through the gradient only.
        beta: The paper's beta.
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
    >>> keras.optimizers.Ftrl(0.1).apply([v.value], [v])
    >>> [round(float(x), 4) for x in v.numpy()]
    [0.6031, -1.5889]

    Reference: McMahan et al., 2013, "Ad click prediction: a view from the
    trenches", algorithm 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        super().build(variables)
        self._squares, self._linears = self.add_optimizer_variables(
            variables,
            ["accumulator", "linear"],
            [self.initial_accumulator_value, "zeros"],
        )

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Any
    ) -> None:
        """Update one variable."""
        i = self._get_variable_index(variable)
        squares, linear = self._squares[i], self._linears[i]
        rate = self._rate(learning_rate, variable)
        value = variable.value
        power = -self.learning_rate_power
        shrinkage = 2 * self.l2_shrinkage_regularization_strength
        total = ops.add(squares.value, ops.square(gradient))
        root, old_root = ops.power(total, power), ops.power(squares.value, power)
        sigma = ops.divide(ops.subtract(root, old_root), rate)
        pull = ops.add(gradient, ops.multiply(value, shrinkage))
        z = ops.add(linear.value, ops.subtract(pull, ops.multiply(sigma, value)))
        # The paper's lambda_2 holds beta / rate, half of it by Keras' convention.
        l2 = ops.add(
            self.l2_regularization_strength,
            ops.divide(self.beta, ops.multiply(2.0, rate)),
        )
        curvature = ops.add(ops.divide(root, rate), ops.multiply(2.0, l2))
        l1 = self.l1_regularization_strength
        squares.assign(total)
        linear.assign(z)
        shifted = ops.subtract(ops.clip(z, -l1, l1), z)
        variable.assign(ops.divide(shifted, curvature))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": (
                self.l2_shrinkage_regularization_strength
            ),
            "beta": self.beta,
        }
