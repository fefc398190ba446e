"""`Multiply` and `multiply`: the product of tensors."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.merging._merge import Merge
from polykeras.registry import public

__all__ = ["Multiply", "multiply"]


@public
class Multiply(Merge):
    """Return the product of several tensors, value by value.

    Args:
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> a, b = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[3.0, 4.0]])
    >>> keras.layers.Multiply()([a, b]).tolist()
    [[3.0, 8.0]]
    """

    def _pair(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.multiply(a, b)


def multiply(inputs: list[Tensor], **kwargs: Any) -> Tensor:
    """Return the product of several tensors.

    Args:
        inputs: Tensors whose shapes broadcast.
        kwargs: Arguments of the layer `Multiply`.

    Returns:
        A tensor of the broadcast shape.
    """
    return Multiply(**kwargs)(inputs)
