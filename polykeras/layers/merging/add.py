"""`Add` and `add`: the sum of tensors."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.merging._merge import Merge
from polykeras.registry import public

__all__ = ["Add", "add"]


@public
class Add(Merge):
    """Return the sum of several tensors, value by value.

    Args:
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> a, b = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[3.0, 4.0]])
    >>> keras.layers.Add()([a, b]).tolist()
    [[4.0, 6.0]]
    """

    def _pair(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.add(a, b)


def add(inputs: list[Tensor], **kwargs: Any) -> Tensor:
    """Return the sum of several tensors.

    Args:
        inputs: Tensors whose shapes broadcast.
        kwargs: Arguments of the layer `Add`.

    Returns:
        A tensor of the broadcast shape.
    """
    return Add(**kwargs)(inputs)
