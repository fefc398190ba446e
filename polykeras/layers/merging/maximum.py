"""`Maximum` and `maximum`: the largest value of tensors."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.merging._merge import Merge
from polykeras.registry import public

__all__ = ["Maximum", "maximum"]


@public
class Maximum(Merge):
    """Return the largest value of several tensors, value by value.

    Args:
        kwargs: See `Layer`.

    >>> import polykeras as keras
    >>> a, b = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[3.0, 4.0]])
    >>> keras.layers.Maximum()([a, b]).tolist()
    [[3.0, 4.0]]
    """

    def _pair(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.maximum(a, b)


def maximum(inputs: list[Tensor], **kwargs: Any) -> Tensor:
    """Return the largest value of several tensors.

    Args:
        inputs: Tensors whose shapes broadcast.
        kwargs: Arguments of the layer `Maximum`.

    Returns:
        A tensor of the broadcast shape.
    """
    return Maximum(**kwargs)(inputs)
