"""Activation functions made of pieces: hard, shrinking and sparse ones."""

from __future__ import annotations

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.ops._declare import op
from polykeras.ops.activations import as_inexact, between, relu6

__all__ = [
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "threshold",
]


@op(inexact="x")
def hard_sigmoid(x: Tensor) -> Tensor:
    """Return ``relu6(x + 3) / 6``, straight lines in place of `sigmoid`.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> float(keras.ops.hard_sigmoid(0.0))
    0.5
    """
    return ops.divide(relu6(ops.add(as_inexact(x), 3)), 6)


@op(inexact="x")
def hard_silu(x: Tensor) -> Tensor:
    """Return ``x * hard_sigmoid(x)``.

    Args:
        x: A tensor of any shape.

    Reference: Howard et al., 2019, "Searching for MobileNetV3", section 5.2.

    >>> import polykeras as keras
    >>> float(keras.ops.hard_silu(3.0))
    3.0
    """
    return ops.multiply(x, hard_sigmoid(x))


@op(inexact="x")
def hard_swish(x: Tensor) -> Tensor:
    """Return ``x * hard_sigmoid(x)``: another name of `hard_silu`.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> float(keras.ops.hard_swish(3.0))
    3.0
    """
    return hard_silu(x)


@op(common="x")
def hard_tanh(x: Tensor) -> Tensor:
    """Return each value clipped to [-1, 1]; the gradient at the ends is 0.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.hard_tanh([-3.0, 0.5])).tolist()
    [-1.0, 0.5]
    """
    return between(x, -1, 1)


@op(inexact="x")
def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """Return each value, those within `threshold` of 0 as 0.

    Args:
        x: A tensor of any shape.
        threshold: Half the width of the band.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.hard_shrink([-0.5, 2.0])).tolist()
    [0.0, 2.0]
    """
    x = as_inexact(x)
    return ops.where(ops.greater(ops.abs(x), threshold), x, 0)


@op(inexact="x")
def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """Return each value moved towards 0 by `threshold`, at most to 0.

    Args:
        x: A tensor of any shape.
        threshold: How far.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.soft_shrink([-0.5, 2.0])).tolist()
    [0.0, 1.5]
    """
    x = as_inexact(x)
    x = ops.where(ops.less_equal(ops.abs(x), threshold), 0, x)  # NaN is kept
    above = ops.where(ops.greater(x, 0), ops.subtract(x, threshold), x)
    return ops.where(ops.less(x, 0), ops.add(x, threshold), above)


@op(common="x")
def threshold(x: Tensor, threshold: float, default_value: float) -> Tensor:
    """Return values above a threshold, and a default in place of the others.

    Args:
        x: A tensor of any shape.
        threshold: Values must exceed it.
        default_value: What replaces the others.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.threshold([1.0, 2.0], 1.0, -1.0)).tolist()
    [-1.0, 2.0]
    """
    x = ops.convert_to_tensor(x)
    return ops.where(ops.greater(x, threshold), x, default_value)


@op(inexact="x")
def sparse_plus(x: Tensor) -> Tensor:
    """Return 0 below -1, ``(x + 1)^2 / 4`` up to 1, and ``x`` above.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sparse_plus([-2.0, 1.0, 3.0])).tolist()
    [0.0, 1.0, 3.0]
    """
    x = as_inexact(x)
    # Where the square overflows, its derivative would spoil the others by NaN.
    middle = ops.multiply(ops.square(ops.add(ops.clip(x, -1, 1), 1)), 0.25)
    return ops.where(ops.less_equal(x, -1), 0, ops.where(ops.less(x, 1), middle, x))


@op(inexact="x")
def sparse_sigmoid(x: Tensor) -> Tensor:
    """Return 0 below -1, ``(x + 1) / 2`` up to 1, and 1 above.

    Args:
        x: A tensor of any shape.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sparse_sigmoid([-2.0, 0.0])).tolist()
    [0.0, 0.5]
    """
    return between(ops.multiply(ops.add(as_inexact(x), 1), 0.5), 0, 1)
