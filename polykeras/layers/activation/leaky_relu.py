"""`LeakyReLU`: a small slope below zero."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.activation._checks import at_least_zero
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["LeakyReLU"]


@public
class LeakyReLU(Layer):
    """Return ``x`` above 0 and ``negative_slope * x`` below.

    Args:
        negative_slope: Slope below 0. Keras 2 calls it ``alpha``, which is accepted.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If the slope is negative or None.

    Reference: Maas, Hannun and Ng, 2013, "Rectifier Nonlinearities Improve Neural
    Network Acoustic Models".

    >>> import polykeras as keras
    >>> keras.layers.LeakyReLU(negative_slope=0.5)([-2.0, 3.0]).tolist()
    [-1.0, 3.0]
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        """Remember the configuration."""
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = at_least_zero(
            "LeakyReLU", "negative_slope", negative_slope
        )
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the shape of `inputs`."""
        return ops.leaky_relu(inputs, self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "negative_slope": self.negative_slope}
