"""`Softmax`: probabilities along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["Softmax"]

# Stands for minus infinity and keeps rows without any valid place finite.
_EXCLUDED: Final = {"float16": -3e4}
_EXCLUDED_ELSE: Final = -1e9


@public
class Softmax(Layer):
    """Turn values into probabilities that sum to 1 along an axis.

    Args:
        axis: The axis, or several.
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> layer = keras.layers.Softmax()
    >>> layer([1.0, 1.0]).tolist()
    [0.5, 0.5]
    >>> x = keras.ops.array([1.0, 2.0, 1.0])
    >>> layer(x, mask=keras.ops.array([True, False, True])).tolist()
    [0.5, 0.0, 0.5]
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return probabilities.

        Args:
            inputs: A tensor of any shape.
            mask: Places that take part; it broadcasts to the inputs, or covers their
                leading axes. Other places get 0.

        Returns:
            A tensor of the shape of `inputs`.
        """
        if mask is not None:
            low = _EXCLUDED.get(ops.dtype(inputs), _EXCLUDED_ELSE)
            taking_part = _over_leading_axes(mask, inputs)
            inputs = ops.where(taking_part, inputs, ops.full_like(inputs, low))
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        return ops.softmax(inputs, axis)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}


def _over_leading_axes(mask: Tensor, x: Tensor) -> Tensor:
    """Give a mask of time steps the axes of the features that it lacks."""
    mask = ops.cast(mask, "bool")
    rank, missing = len(mask.shape), len(x.shape) - len(mask.shape)
    if rank > 1 and missing > 0 and tuple(mask.shape) == tuple(x.shape[:rank]):
        mask = ops.reshape(mask, (*mask.shape, *(1,) * missing))
    return mask
