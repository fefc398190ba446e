"""`Rescaling`: another range of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.layer import Layer
from polykeras.registry import public, serialize_keras_object

__all__ = ["Rescaling"]


@public
class Rescaling(Layer):
    """Return ``inputs * scale + offset`` as floats, in training and inference alike.

    Args:
        scale: A number, or one for each channel (the last axis).
        offset: Likewise.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> layer = keras.layers.Rescaling(scale=1 / 127.5, offset=-1.0)
    >>> layer(keras.ops.array([0, 255])).tolist()
    [-1.0, 1.0]
    """

    def __init__(
        self,
        scale: float | Sequence[Any],
        offset: float | Sequence[Any] = 0.0,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.scale = _plain(scale)
        self.offset = _plain(offset)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return a floating tensor of the shape of `inputs`."""
        dtype = self.compute_dtype
        x = ops.multiply(ops.cast(inputs, dtype), ops.cast(self.scale, dtype))
        return ops.add(x, ops.cast(self.offset, dtype))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "scale": serialize_keras_object(self.scale),
            "offset": serialize_keras_object(self.offset),
        }


def _plain(value: Any) -> Any:
    """Return a number or nested lists of numbers, which configs can hold."""
    return value if isinstance(value, int | float) else np.asarray(value).tolist()
