"""`Subtract` and `subtract`: the difference of two tensors."""

from __future__ import annotations

from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers.merging._merge import Merge
from polykeras.registry import public

__all__ = ["Subtract", "subtract"]

_OPERANDS: Final = 2


@public
class Subtract(Merge):
    """Return the difference of two tensors, the first minus the second, value by value.

    Args:
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> a, b = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[3.0, 4.0]])
    >>> keras.layers.Subtract()([a, b]).tolist()
    [[-2.0, -2.0]]
    """

    def build(self, input_shape: Any) -> None:
        """Check that there are two inputs whose shapes fit.

        Raises:
            ArgumentError: If there are not two.
            ShapeError: If the shapes do not broadcast.
        """
        super().build(input_shape)
        if len(input_shape) != _OPERANDS:
            raise ArgumentError(f"Subtract takes two tensors, got {len(input_shape)}.")

    def _pair(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.subtract(a, b)


def subtract(inputs: list[Tensor], **kwargs: Any) -> Tensor:
    """Return the difference of two tensors.

    Args:
        inputs: Two tensors whose shapes broadcast.
        kwargs: Arguments of the layer `Subtract`.

    Returns:
        A tensor of the broadcast shape.
    """
    return Subtract(**kwargs)(inputs)
