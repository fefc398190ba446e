"""Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polykeras import ops
from polykeras.optimizers.base import Optimizer
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = ["Adadelta"]


@public
class Adadelta(Optimizer):
    """Descent in steps as large as recent steps were, per unit of gradient.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function that
            returns a number.
        rho: Decay of the running means.
        epsilon: Added to both means under their roots.
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
    >>> keras.optimizers.Adadelta(1.0).apply([v.value], [v])
    >>> [round(float(x), 4) for x in v.numpy()]
    [0.9986, -1.9986]

    Reference: Zeiler, 2012, "ADADELTA: an adaptive learning rate method",
    algorithm 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
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
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        super().build(variables)
        self._squares, self._step_squares = self.add_optimizer_variables(
            variables, ["accumulated_grad", "accumulated_delta_var"]
        )

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Any
    ) -> None:
        """Update one variable."""
        i = self._get_variable_index(variable)
        squares, step_squares = self._squares[i], self._step_squares[i]
        mean = self._running(squares.value, ops.square(gradient))
        scale = ops.divide(
            ops.sqrt(ops.add(step_squares.value, self.epsilon)),
            ops.sqrt(ops.add(mean, self.epsilon)),
        )
        step = ops.multiply(scale, gradient)
        squares.assign(mean)
        step_squares.assign(self._running(step_squares.value, ops.square(step)))
        rate = self._rate(learning_rate, variable)
        variable.assign(ops.subtract(variable.value, ops.multiply(rate, step)))

    def _running(self, mean: Tensor, value: Tensor) -> Tensor:
        kept = ops.multiply(mean, self.rho)
        return ops.add(kept, ops.multiply(value, 1 - self.rho))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "epsilon": self.epsilon,
        }
