"""`Average` and `average`: the mean of tensors."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.merging._merge import Merge
from polykeras.registry import public

__all__ = ["Average", "average"]


@public
class Average(Merge):
    """Return the mean of several tensors, value by value.

    Args:
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> a, b = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[3.0, 4.0]])
    >>> keras.layers.Average()([a, b]).tolist()
    [[2.0, 3.0]]
    """

    def _combine(self, inputs: list[Tensor]) -> Tensor:
        return ops.divide(super()._combine(inputs), len(inputs))

    def _pair(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.add(a, b)


def average(inputs: list[Tensor], **kwargs: Any) -> Tensor:
    """Return the mean of several tensors.

    Args:
        inputs: Tensors whose shapes broadcast.
        kwargs: Arguments of the layer `Average`.

    Returns:
        A tensor of the broadcast shape.
    """
    return Average(**kwargs)(inputs)
