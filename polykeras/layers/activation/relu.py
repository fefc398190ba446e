"""`ReLU`: what is above a threshold."""

from __future__ import annotations

from typing import Any

from polykeras import activations
from polykeras.backend import Tensor
from polykeras.layers.activation._checks import at_least_zero
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["ReLU"]


@public
class ReLU(Layer):
    """Apply the rectified linear unit to each value.

    ``max_value`` where ``x >= max_value``; ``x`` below that and above ``threshold``;
    ``negative_slope * (x - threshold)`` elsewhere.

    Args:
        max_value: Largest output, or None for no limit.
        negative_slope: Slope below the threshold.
        threshold: Where the linear part begins.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If an argument is negative.

    >>> import polykeras as keras
    >>> keras.layers.ReLU(max_value=1.0)([-3.0, 0.5, 2.0]).tolist()
    [0.0, 0.5, 1.0]
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.max_value = (
            None if max_value is None else at_least_zero("ReLU", "max_value", max_value)
        )
        self.negative_slope = at_least_zero("ReLU", "negative_slope", negative_slope)
        self.threshold = at_least_zero("ReLU", "threshold", threshold)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the shape of `inputs`."""
        return activations.relu(
            inputs,
            negative_slope=self.negative_slope,
            max_value=self.max_value,
            threshold=self.threshold,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }
