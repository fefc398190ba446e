"""`Activation`: a function of each value, as a layer."""

from __future__ import annotations

from typing import Any

from polykeras import activations
from polykeras.backend import Tensor
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["Activation"]


@public
class Activation(Layer):
    """Apply an activation function to the inputs.

    Args:
        activation: A name or function; None means linear.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If there is no activation of that name.

    >>> import polykeras as keras
    >>> keras.layers.Activation("relu")([-1.0, 0.0, 2.0]).tolist()
    [0.0, 0.0, 2.0]
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the shape of `inputs`."""
        return self.activation(inputs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
        }
