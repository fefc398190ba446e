"""Adam with decoupled weight decay."""

from __future__ import annotations

from typing import Any

from polykeras.errors import ArgumentError
from polykeras.optimizers.adam import Adam
from polykeras.registry import public

__all__ = ["AdamW"]


@public
class AdamW(Adam):
    """Adam with weight decay that does not pass through the moments.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function that
            returns a number.
        beta_1: Decay of the first moment.
        beta_2: Decay of the second moment.
        epsilon: Added to the root of the second moment; the paper's "epsilon hat".
        amsgrad: Whether to divide by the largest second moment so far.
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
    >>> keras.optimizers.AdamW(0.1, weight_decay=0.1).apply([v.value], [v])
    >>> [round(float(x), 4) for x in v.numpy()]
    [0.89, -1.88]

    Reference: Loshchilov and Hutter, 2019, "Decoupled weight decay
    regularization".
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ArgumentError("AdamW needs a weight_decay; without one, use Adam.")
        super().__init__(
            learning_rate=learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            amsgrad=amsgrad,
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
