"""How many axes and values a tensor has."""

from __future__ import annotations

import math

from polykeras.backend import Tensor
from polykeras.ops._declare import op
from polykeras.ops._registry import REGISTRY
from polykeras.ops._values import as_tensor

__all__ = ["ndim", "size", "value_count"]


def ndim(x: Tensor) -> int:
    """Return the number of axes.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> keras.ops.ndim([[1, 2]])
    2
    """
    return len(x.shape) if hasattr(x, "shape") else len(as_tensor(x).shape)


def size(x: Tensor) -> Tensor | int:
    """Return the number of values.

    Args:
        x: A tensor of any shape.

    Returns:
        An int; of a symbolic tensor that leaves a size open, a symbolic int32.

    >>> import polykeras as keras
    >>> keras.ops.size([[1, 2, 3]])
    3
    """
    shape = x.shape if hasattr(x, "shape") else as_tensor(x).shape
    if None in shape:
        return value_count(x)
    return math.prod(shape)


@op(tensor="x", differentiable=False)
def value_count(x: Tensor) -> Tensor:
    """Return the number of values as a tensor.

    Args:
        x: A tensor of any shape.

    Returns:
        An int32 without axes.

    >>> import polykeras as keras
    >>> from polykeras.ops.extents import value_count
    >>> int(value_count(keras.ops.ones((2, 3))))
    6
    """
    return REGISTRY["full"]((), math.prod(as_tensor(x).shape), "int32")
