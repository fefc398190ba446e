"""Losses between numbers, as functions."""

from __future__ import annotations

import math
from typing import Any

from polykeras import config, ops
from polykeras.backend import Tensor
from polykeras.losses.alignment import pair
from polykeras.registry import public

__all__ = [
    "cosine_similarity",
    "huber",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
]


@public
def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of the squared differences over the last axis.

    Args:
        y_true: Targets, (B, ..., F).
        y_pred: Predictions of the same shape.

    Returns:
        One value for each sample, (B, ...).

    Raises:
        ShapeError: If the targets do not broadcast to the predictions' shape.

    >>> mean_squared_error([[0.0, 2.0]], [[1.0, 1.0]]).tolist()
    [1.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_squared_error")
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), axis=-1)


@public
def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of the absolute differences over the last axis.

    Args:
        y_true: Targets, (B, ..., F).
        y_pred: Predictions of the same shape.

    Returns:
        One value for each sample, (B, ...).

    >>> mean_absolute_error([[0.0, 2.0]], [[1.0, 4.0]]).tolist()
    [1.5]
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_absolute_error")
    return ops.mean(ops.abs(ops.subtract(y_true, y_pred)), axis=-1)


@public
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of the differences relative to the targets, in percent.

    Args:
        y_true: Targets, (B, ..., F); those near 0 count as 1e-7.
        y_pred: Predictions of the same shape.

    Returns:
        One value for each sample, (B, ...).

    >>> mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]]).tolist()
    [25.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_absolute_percentage_error")
    size = ops.maximum(ops.abs(y_true), config.epsilon())
    gap = ops.abs(ops.divide(ops.subtract(y_true, y_pred), size))
    return ops.multiply(100.0, ops.mean(gap, axis=-1))


@public
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean squared difference of ``log(y + 1)`` over the last axis.

    Args:
        y_true: Targets, (B, ..., F); negative ones count as 0.
        y_pred: Predictions of the same shape.

    Returns:
        One value for each sample, (B, ...).
    """
    y_true, y_pred = pair(y_true, y_pred, "mean_squared_logarithmic_error")
    tiny = config.epsilon()
    logs = [ops.log(ops.add(ops.maximum(y, tiny), 1.0)) for y in (y_true, y_pred)]
    return ops.mean(ops.square(ops.subtract(*logs)), axis=-1)


@public
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Return the negative cosine of the angle: -1 for equal directions.

    Args:
        y_true: Vectors, (B, ..., F).
        y_pred: Vectors of the same shape.
        axis: The axis of the vectors.

    Returns:
        The tensor without `axis`.

    >>> cosine_similarity([[1.0, 0.0]], [[2.0, 0.0]]).tolist()
    [-1.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "cosine_similarity")
    y_true, y_pred = ops.normalize(y_true, axis=axis), ops.normalize(y_pred, axis=axis)
    return ops.negative(ops.sum(ops.multiply(y_true, y_pred), axis=axis))


@public
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """Return the mean of a loss that is quadratic near 0 and linear beyond.

    Args:
        y_true: Targets, (B, ..., F).
        y_pred: Predictions of the same shape.
        delta: Where the loss becomes linear.

    Returns:
        One value for each sample, (B, ...).

    >>> huber([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
    [1.5]

    Reference: Huber, 1964, "Robust estimation of a location parameter".
    """
    y_true, y_pred = pair(y_true, y_pred, "huber")
    gap = ops.abs(ops.subtract(y_pred, y_true))
    near = ops.multiply(0.5, ops.square(gap))
    far = ops.subtract(ops.multiply(delta, gap), 0.5 * delta * delta)
    return ops.mean(ops.where(ops.less_equal(gap, delta), near, far), axis=-1)


@public
def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of ``log(cosh(difference))`` over the last axis.

    Args:
        y_true: Targets, (B, ..., F).
        y_pred: Predictions of the same shape.

    Returns:
        One value for each sample, (B, ...).
    """
    y_true, y_pred = pair(y_true, y_pred, "log_cosh")
    gap = ops.subtract(y_pred, y_true)
    # cosh overflows; its logarithm is x + softplus(-2x) - log 2.
    bent = ops.softplus(ops.multiply(-2.0, gap))
    return ops.mean(ops.subtract(ops.add(gap, bent), math.log(2)), axis=-1)
