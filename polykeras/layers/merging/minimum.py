"""`Minimum` and `minimum`: the smallest value of tensors."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.merging._merge import Merge
from polykeras.registry import public

__all__ = ["Minimum", "minimum"]


@public
class Minimum(Merge):
    """Return the smallest value of several tensors, value by value.

    Args:
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> a, b = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[3.0, 4.0]])
    >>> keras.layers.Minimum()([a, b]).tolist()
    [[1.0, 2.0]]
    """

    def _pair(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.minimum(a, b)


def minimum(inputs: list[Tensor], **kwargs: Any) -> Tensor:
    """Return the smallest value of several tensors.

    Args:
        inputs: Tensors whose shapes broadcast.
        kwargs: Arguments of the layer `Minimum`.

    Returns:
        A tensor of the broadcast shape.
    """
    return Minimum(**kwargs)(inputs)
