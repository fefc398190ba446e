"""Adafactor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polykeras import ops
from polykeras.optimizers.base import Optimizer
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = ["Adafactor"]


def _rms(x: Tensor) -> Tensor:
    return ops.sqrt(ops.mean(ops.square(x)))


@public
class Adafactor(Optimizer):
    """Adam with the second moment of a matrix kept as one row and one column.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function that
            returns a number.
        beta_2_decay: The second moment decays with ``1 - step**beta_2_decay``.
        epsilon_1: Added to squared gradients.
        epsilon_2: The smallest size a variable is taken to have.
        clip_threshold: The largest root mean square of a step, before the rate.
        relative_step: Whether the rate is at most ``step**-0.5``.
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


    Reference: Shazeer and Stern, 2018, "Adafactor: adaptive learning rates with
    sublinear memory cost", algorithms 4 and 5.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        super().build(variables)
        self._rows: list[Variable] = []
        self._columns: list[Variable] = []
        self._velocities: list[Variable] = []
        for variable in variables:
            shape, dtype, name = variable.shape, variable.dtype, variable.name
            # Vectors keep the whole moment; Keras' files hold empty slots for them.
            rows, columns = (
                (shape[:-1], (*shape[:-2], shape[-1])) if len(shape) > 1 else ((), ())
            )
            kept = dtype if len(shape) > 1 else "int32"
            self._rows.append(self.add_variable(rows, dtype=kept, name=name))
            self._columns.append(self.add_variable(columns, dtype=kept, name=name))
            self._velocities.append(
                self.add_variable_from_reference(variable, "velocity")
            )

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Any
    ) -> None:
        """Update one variable."""
        i = self._get_variable_index(variable)
        step = ops.cast(ops.add(self.iterations, 1), variable.dtype)
        rate = self._rate(learning_rate, variable)
        if self.relative_step:
            rate = ops.minimum(rate, ops.divide(1.0, ops.sqrt(step)))
        size = ops.maximum(_rms(variable.value), self.epsilon_2)
        fresh = ops.power(step, self.beta_2_decay)
        squares = ops.add(ops.square(gradient), self.epsilon_1)

        def advance(slot: Variable, value: Tensor) -> Tensor:
            old = slot.value
            new = ops.add(old, ops.multiply(fresh, ops.subtract(value, old)))
            slot.assign(new)
            return new

        if len(variable.shape) > 1:
            rows = advance(self._rows[i], ops.mean(squares, axis=-1))
            columns = advance(self._columns[i], ops.mean(squares, axis=-2))
            rows = ops.divide(rows, ops.mean(rows, axis=-1, keepdims=True))
            variance = ops.multiply(
                ops.expand_dims(rows, -1), ops.expand_dims(columns, -2)
            )
        else:
            variance = advance(self._velocities[i], squares)
        update = ops.divide(gradient, ops.sqrt(variance))
        excess = ops.maximum(1.0, ops.divide(_rms(update), self.clip_threshold))
        rate = ops.divide(ops.multiply(rate, size), excess)
        variable.assign(ops.subtract(variable.value, ops.multiply(rate, update)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }
