"""`Masking`: mark the time steps that hold nothing."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["Masking"]


@public
class Masking(Layer):
    """Mask the time steps whose features all equal one value.

    Layers that follow and support masks skip these steps; the features of skipped
    steps become 0.

    Args:
        mask_value: The value that marks a step as absent.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> x = keras.ops.array([[[1.0, 2.0], [9.0, 9.0]]])
    >>> layer = keras.layers.Masking(mask_value=9.0)
    >>> layer(x).tolist(), layer.compute_mask(x).tolist()
    ([[[1.0, 2.0], [0.0, 0.0]]], [[True, False]])
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def compute_mask(self, inputs: Tensor, previous_mask: Any = None) -> Tensor:
        """Return booleans of shape ``inputs.shape[:-1]``, False where absent."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs with 0 in the absent steps."""
        present = ops.any(
            ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True
        )
        return ops.multiply(inputs, ops.cast(present, ops.dtype(inputs)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "mask_value": self.mask_value}
