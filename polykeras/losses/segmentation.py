"""Losses of overlap between regions, as functions."""

from __future__ import annotations

from typing import Any

from polykeras import config, ops
from polykeras.backend import Tensor
from polykeras.losses.alignment import pair
from polykeras.registry import public

__all__ = ["dice", "tversky"]


@public
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Tensor:
    """Return one minus the Dice overlap of labels and predictions.

    Args:
        y_true: Labels 0 to 1, any shape.
        y_pred: Probabilities of the same shape.
        axis: The axes of one region; None for all.

    Returns:
        The tensor without those axes.

    >>> float(dice([1.0, 0.0], [1.0, 0.0]))
    0.0
    """
    y_true, y_pred = pair(y_true, y_pred, "dice")
    common = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    total = ops.add(ops.sum(y_true, axis=axis), ops.sum(y_pred, axis=axis))
    tiny = config.epsilon()
    overlap = ops.divide(ops.add(ops.multiply(2.0, common), tiny), ops.add(total, tiny))
    return ops.subtract(1.0, overlap)


@public
def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Tensor:
    """Return one minus the Tversky overlap of labels and predictions.

    Args:
        y_true: Labels 0 to 1, any shape.
        y_pred: Probabilities of the same shape.
        alpha: Weight of false negatives, as in Keras; the paper exchanges the two.
        beta: Weight of false positives.
        axis: The axes of one region; None for all.

    Returns:
        The tensor without those axes.

    Reference: Salehi et al., 2017, "Tversky loss function for image segmentation
    using 3D fully convolutional deep networks", equation 4.
    """
    y_true, y_pred = pair(y_true, y_pred, "tversky")
    common = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    extra = ops.sum(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=axis)
    missed = ops.sum(ops.multiply(y_true, ops.subtract(1.0, y_pred)), axis=axis)
    tiny = config.epsilon()
    whole = ops.add(common, ops.multiply(beta, extra))
    whole = ops.add(whole, ops.multiply(alpha, missed))
    return ops.subtract(1.0, ops.divide(ops.add(common, tiny), ops.add(whole, tiny)))
