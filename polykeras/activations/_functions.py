"""Activations that are not ops themselves, or take more arguments."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.registry import public

__all__ = ["exponential", "gelu", "linear", "mish", "relu"]


@public
def relu(
    x: Any,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Tensor:
    """Return each value, those below a threshold flattened, and large ones clipped.

    Args:
        x: A tensor of any shape.
        negative_slope: The slope below `threshold`.
        max_value: The largest result; None for no limit.
        threshold: Values up to it become ``negative_slope * (x - threshold)``.

    Returns:
        A tensor of the shape of `x`.

    >>> relu([-2.0, 3.0]).tolist()
    [0.0, 3.0]
    >>> relu([-2.0, 3.0, 9.0], negative_slope=0.5, max_value=6.0).tolist()
    [-1.0, 3.0, 6.0]
    """
    if threshold == 0:
        if not negative_slope:
            if max_value is None:
                return ops.relu(x)
            if max_value == 6:
                return ops.relu6(x)
        y = ops.leaky_relu(x, negative_slope) if negative_slope else ops.relu(x)
    else:
        x = ops.convert_to_tensor(x)
        low = ops.multiply(negative_slope, ops.subtract(x, threshold))
        y = ops.where(ops.greater(x, threshold), x, low)
    return y if max_value is None else ops.minimum(y, max_value)


@public
def gelu(x: Any, approximate: bool = False) -> Tensor:
    """Return ``x`` times the probability that a standard normal value is below it.

    Args:
        x: A tensor of any shape.
        approximate: Whether to use the formula with tanh.

    Returns:
        A tensor of the shape of `x`.

    Reference: Hendrycks and Gimpel, 2016, "Gaussian error linear units".
    """
    return ops.gelu(x, approximate)


@public
def exponential(x: Any) -> Tensor:
    """Return e to the power of each value.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x`.
    """
    return ops.exp(x)


@public
def linear(x: Any) -> Tensor:
    """Return the values unchanged.

    Args:
        x: A tensor of any shape.

    Returns:
        The tensor.
    """
    return x


@public
def mish(x: Any) -> Tensor:
    """Return ``x * tanh(softplus(x))``.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x`.

    >>> round(float(mish(1.0)), 6)
    0.865098

    Reference: Misra, 2019, "Mish: a self regularized non-monotonic activation
    function".
    """
    return ops.multiply(x, ops.tanh(ops.softplus(x)))
