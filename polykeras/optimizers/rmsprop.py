"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polykeras.ops.updates import rmsprop_update
from polykeras.optimizers._listwise import ListOptimizer, assign_all, values_of
from polykeras.registry import public
from polykeras.state import is_donated

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = ["RMSprop"]


@public
class RMSprop(ListOptimizer):
    """Descent in steps divided by the root of the running mean square gradient.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function that
            returns a number.
        rho: Decay of the running means.
        momentum: The share of the last step that is kept.
        epsilon: Added to the variance under the root.
        centered: Whether to subtract the squared mean gradient from the mean
            square.
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
    >>> keras.optimizers.RMSprop(0.1).apply([v.value], [v])
    >>> [round(float(x), 4) for x in v.numpy()]
    [0.6838, -1.6838]

    Reference: Hinton, 2012, "Neural Networks for Machine Learning", lecture 6e.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        self._momentums: list[Variable | None] = []
        self._average_gradients: list[Variable | None] = []
        if self.momentum > 0:
            self._momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(
                variables, "average_gradient"
            )

    def update_lists(
        self, grads: list[Tensor], variables: list[Variable], learning_rate: Any
    ) -> None:
        """Update all variables at once."""
        slots = [
            self._slots(kind, variables) if kind else []
            for kind in (self._velocities, self._momentums, self._average_gradients)
        ]
        first, second, third = (values_of(slot) for slot in slots)
        results = rmsprop_update(
            values_of(variables),
            grads,
            first,
            second,
            third,
            learning_rate,
            self.rho,
            self.momentum,
            self.epsilon,
            is_donated(),
        )
        for targets, new in zip((variables, *slots), results, strict=True):
            assign_all(targets, new)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
