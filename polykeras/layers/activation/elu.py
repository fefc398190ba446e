"""`ELU`: an exponential below zero."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["ELU"]


@public
class ELU(Layer):
    """Return ``x`` above 0 and ``alpha * (exp(x) - 1)`` below.

    Args:
        alpha: Minus the limit towards minus infinity.
        kwargs: See `Layer`.

    Reference: Clevert, Unterthiner and Hochreiter, 2016, "Fast and Accurate Deep
    Network Learning by Exponential Linear Units".

    >>> import polykeras as keras
    >>> keras.layers.ELU()([0.0, 3.0]).tolist()
    [0.0, 3.0]
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the shape of `inputs`."""
        return ops.elu(inputs, self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "alpha": self.alpha}
