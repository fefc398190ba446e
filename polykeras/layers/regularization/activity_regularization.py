"""`ActivityRegularization`: a penalty on the values that pass."""

from __future__ import annotations

from typing import Any

from polykeras import regularizers
from polykeras.backend import Tensor
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["ActivityRegularization"]


@public
class ActivityRegularization(Layer):
    """Return the inputs and add their absolute values and squares to the loss.

    The sums are divided by the size of the batch.

    Args:
        l1: Factor of the sum of absolute values.
        l2: Factor of the sum of squares.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> layer = keras.layers.ActivityRegularization(l2=0.5)
    >>> y = layer(keras.ops.array([[2.0, 0.0]]))
    >>> [float(x) for x in layer.losses]
    [2.0]
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        """Remember the configuration."""
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        found = super().get_config()
        found.pop("activity_regularizer")
        return {**found, "l1": self.l1, "l2": self.l2}
