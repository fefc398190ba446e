"""`RMSNormalization`: mean square 1 within each sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.layers._sizes import not_negative
from polykeras.layers.layer import Layer
from polykeras.layers.normalization._scaling import as_axes, some_axes
from polykeras.registry import public

__all__ = ["RMSNormalization"]


@public
class RMSNormalization(Layer):
    """Divide each sample by the root of its mean square, then scale it.

    Args:
        axis: The axis of the features, or several.
        epsilon: Added to the mean square.
        kwargs: See `Layer`.

    Reference: Zhang and Sennrich, 2019, "Root Mean Square Layer Normalization".

    >>> import polykeras as keras
    >>> layer = keras.layers.RMSNormalization(epsilon=0.0)
    >>> layer(keras.ops.array([[2.0, -2.0]])).tolist()
    [[1.0, -1.0]]
    """

    def __init__(
        self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any
    ) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.axis = some_axes("RMSNormalization", axis)
        self.epsilon = not_negative("RMSNormalization", "epsilon", epsilon)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the scale for the sizes of the axes."""
        self._axes = as_axes(type(self).__name__, self.axis, input_shape)
        sizes = tuple(input_shape[a] for a in self._axes)
        if None in sizes:
            raise ShapeError(
                f"The layer {self.name!r} has weights along axis {self.axis}, whose "
                f"size must be known, got an input of shape {tuple(input_shape)}."
            )
        self.scale = self.add_weight(name="scale", shape=sizes, initializer="ones")

    def call(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the shape of `inputs`."""
        return ops.rms_normalization(
            inputs, self.scale, axis=self._axes, epsilon=self.epsilon
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
