"""`UnitNormalization`: vectors of length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.layer import Layer
from polykeras.layers.normalization._scaling import some_axes, wide
from polykeras.registry import public

__all__ = ["UnitNormalization"]

_SHORTEST: Final = 1e-12


@public
class UnitNormalization(Layer):
    """Divide vectors by their Euclidean length; zero vectors stay.

    Args:
        axis: The axis of the vectors, or several.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> layer = keras.layers.UnitNormalization()
    >>> layer(keras.ops.array([[0.0, 2.0], [0.0, 0.0]])).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.axis = some_axes("UnitNormalization", axis)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return a tensor of the shape of `inputs`."""
        x = wide(inputs)
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        square = ops.sum(ops.square(x), axis=axis, keepdims=True)
        unit = ops.multiply(x, ops.rsqrt(ops.maximum(square, _SHORTEST**2)))
        return ops.cast(unit, ops.dtype(inputs))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}
