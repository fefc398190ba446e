"""Gradient descent, plain or with momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polykeras.errors import ArgumentError
from polykeras.ops.updates import momentum_update, sgd_update
from polykeras.optimizers._listwise import ListOptimizer, assign_all, values_of
from polykeras.registry import public
from polykeras.state import is_donated

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = ["SGD"]


@public
class SGD(ListOptimizer):
    """Gradient descent, optionally with (Nesterov) momentum.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function that
            returns a number.
        momentum: The share of the last step that is kept.
        nesterov: Whether to look ahead by one more momentum.
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
    >>> keras.optimizers.SGD(0.5).apply([v.value], [v])
    >>> [round(float(x), 4) for x in v.numpy()]
    [0.5, -1.0]

    Reference: Sutskever et al., 2013, "On the importance of initialization and
    momentum in deep learning".
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        if not 0 <= momentum <= 1:
            raise ArgumentError(f"momentum must be between 0 and 1, got {momentum!r}.")
        self.momentum = momentum
        self.nesterov = nesterov

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots."""
        super().build(variables)
        self.momentums: list[Variable | None] = []
        if self.momentum != 0:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_lists(
        self, grads: list[Tensor], variables: list[Variable], learning_rate: Any
    ) -> None:
        """Update all variables at once."""
        values, donate = values_of(variables), is_donated()
        if not self.momentums:
            new = sgd_update(values, grads, learning_rate, donate)
            assign_all(variables, new)
            return
        slots = self._slots(self.momentums, variables)
        new, moving = momentum_update(
            values,
            grads,
            values_of(slots),
            learning_rate,
            self.momentum,
            self.nesterov,
            donate,
        )
        assign_all(variables, new)
        assign_all(slots, moving)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "nesterov": self.nesterov,
        }
