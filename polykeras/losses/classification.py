"""Losses between class probabilities, as functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from polykeras import config, dtypes, ops
from polykeras.backend import Array, Tensor, active
from polykeras.errors import ArgumentError, ShapeError
from polykeras.losses.alignment import as_floats, pair
from polykeras.masking import set_mask
from polykeras.ops._operands import Operand
from polykeras.registry import public

__all__ = [
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "kl_divergence",
    "poisson",
    "sparse_categorical_crossentropy",
]


def _smoothed(y_true: Tensor, label_smoothing: float, classes: int) -> Tensor:
    """Mix labels with the uniform distribution."""
    if not label_smoothing:
        return y_true
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(
            f"label_smoothing must be between 0 and 1, got {label_smoothing!r}."
        )
    kept = ops.multiply(y_true, 1.0 - label_smoothing)
    return ops.add(kept, label_smoothing / classes)


def _class_pair(
    y_true: Any, y_pred: Any, what: str, axis: int = -1
) -> tuple[Tensor, Tensor]:
    y_true, y_pred = pair(y_true, y_pred, what)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ShapeError(
            f"{what} needs one label probability for each predicted one, but y_true "
            f"has shape {tuple(y_true.shape)} and y_pred has shape "
            f"{tuple(y_pred.shape)}. For labels that are class numbers, use "
            "sparse_categorical_crossentropy."
        )
    rank = len(y_pred.shape)
    if not -rank <= axis < rank:
        raise ShapeError(
            f"{what} got axis={axis} for predictions of shape {tuple(y_pred.shape)}, "
            f"which have {rank} axes."
        )
    return y_true, y_pred


@public
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Return the mean cross-entropy of independent yes-or-no predictions.

    Args:
        y_true: Labels 0 or 1, or probabilities, (B, ..., F).
        y_pred: Probabilities, or logits with `from_logits`; the same shape.
        from_logits: Whether `y_pred` is to go through a sigmoid.
        label_smoothing: How far labels move toward 0.5.
        axis: The axis to average over.

    Returns:
        The tensor without `axis`.

    >>> binary_crossentropy([[1.0]], [[0.5]]).tolist()
    [0.6931471824645996]
    """
    y_true, y_pred = pair(y_true, y_pred, "binary_crossentropy")
    y_true = _smoothed(y_true, label_smoothing, 2)
    y_true = ops.broadcast_to(y_true, y_pred.shape)
    losses = ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    return ops.mean(losses, axis=axis)


@public
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Return binary cross-entropy that gives easy samples little weight.

    Args:
        y_true: Labels 0 or 1, (B, ..., F).
        y_pred: Probabilities, or logits with `from_logits`; the same shape.
        apply_class_balancing: Whether to weigh the classes by `alpha`.
        alpha: Weight of class 1; class 0 has ``1 - alpha``.
        gamma: How strongly easy samples are discounted.
        from_logits: Whether `y_pred` is to go through a sigmoid.
        label_smoothing: How far labels move toward 0.5.
        axis: The axis to average over.

    Returns:
        The tensor without `axis`.

    Reference: Lin et al., 2017, "Focal loss for dense object detection", equations
    4 and 5.
    """
    y_true, y_pred = pair(y_true, y_pred, "binary_focal_crossentropy")
    y_true = _smoothed(y_true, label_smoothing, 2)
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    y_true = ops.broadcast_to(y_true, y_pred.shape)
    losses = ops.binary_crossentropy(y_true, y_pred, from_logits=False)
    hit = _either(y_true, y_pred, ops.subtract(1.0, y_pred))
    losses = ops.multiply(ops.power(ops.subtract(1.0, hit), gamma), losses)
    if apply_class_balancing:
        losses = ops.multiply(_either(y_true, alpha, 1.0 - alpha), losses)
    return ops.mean(losses, axis=axis)


def _either(y_true: Tensor, one: Any, zero: Any) -> Tensor:
    return ops.add(
        ops.multiply(y_true, one), ops.multiply(ops.subtract(1.0, y_true), zero)
    )


@public
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Return the cross-entropy of predicted and one-hot labels.

    Args:
        y_true: Probabilities of the classes, (B, ..., C).
        y_pred: Probabilities, or logits with `from_logits`; the same shape.
        from_logits: Whether `y_pred` is to go through a softmax.
        label_smoothing: How far labels move toward ``1 / C``.
        axis: The axis of the classes.

    Returns:
        The tensor without `axis`.

    Raises:
        ShapeError: If the shapes differ.

    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).tolist()
    [0.6931471824645996]
    """
    y_true, y_pred = _class_pair(y_true, y_pred, "categorical_crossentropy", axis)
    y_true = _smoothed(y_true, label_smoothing, y_pred.shape[axis])
    return ops.categorical_crossentropy(
        y_true, y_pred, from_logits=from_logits, axis=axis
    )


@public
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Return categorical cross-entropy that gives easy samples little weight.

    Args:
        y_true: Probabilities of the classes, (B, ..., C).
        y_pred: Probabilities, or logits with `from_logits`; the same shape.
        alpha: Factor on the loss: a number, or one for each class.
        gamma: How strongly easy samples are discounted.
        from_logits: Whether `y_pred` is to go through a softmax.
        label_smoothing: How far labels move toward ``1 / C``.
        axis: The axis of the classes.

    Returns:
        The tensor without `axis`.

    Reference: Lin et al., 2017, "Focal loss for dense object detection".
    """
    y_true, y_pred = _class_pair(y_true, y_pred, "categorical_focal_crossentropy", axis)
    y_true = _smoothed(y_true, label_smoothing, y_pred.shape[axis])
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    total = ops.sum(y_pred, axis=axis, keepdims=True)
    tiny = config.epsilon()
    p = ops.clip(ops.divide(y_pred, total), tiny, 1.0 - tiny)
    losses = ops.negative(ops.multiply(y_true, ops.log(p)))
    weight = ops.multiply(ops.power(ops.subtract(1.0, p), gamma), alpha)
    return ops.sum(ops.multiply(weight, losses), axis=axis)


@public
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Tensor:
    """Return the cross-entropy of predictions and class numbers.

    Args:
        y_true: Class numbers, (B, ...), or (B, ..., 1).
        y_pred: Probabilities, or logits with `from_logits`, (B, ..., C).
        from_logits: Whether `y_pred` is to go through a softmax.
        ignore_class: A class number whose losses are 0, and are masked.
        axis: The axis of the classes in `y_pred`.

    Returns:
        One value for each class number. Where a number is not a class, it is NaN;
        outside of compiled functions such labels are refused instead.

    Raises:
        ArgumentError: If a class number is out of range.
        ShapeError: If the shapes do not fit.

    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).tolist()
    [0.6931471824645996]
    """
    y_pred = as_floats(y_pred)
    labels = ops.convert_to_tensor(y_true)
    if not dtypes.is_integer(ops.dtype(labels)):
        labels = ops.cast(labels, "int32")
    axis = axis % len(y_pred.shape)
    if len(labels.shape) == len(y_pred.shape) and labels.shape[axis] == 1:
        labels = ops.squeeze(labels, axis)
    wanted = tuple(n for i, n in enumerate(y_pred.shape) if i != axis)
    if tuple(labels.shape) != wanted:
        raise ShapeError(
            "sparse_categorical_crossentropy needs one class number for each "
            f"prediction: y_true should have shape {wanted} for y_pred of shape "
            f"{tuple(y_pred.shape)}, got {tuple(labels.shape)}. For one-hot labels, "
            "use categorical_crossentropy."
        )
    classes = y_pred.shape[axis]
    ignored = None
    if ignore_class is not None:
        ignored = ops.equal(labels, ignore_class)
        labels = ops.where(ignored, ops.zeros_like(labels), labels)
    valid = _in_range(labels, classes)
    losses = ops.sparse_categorical_crossentropy(
        labels, y_pred, from_logits=from_logits, axis=axis
    )
    if valid is not None:
        losses = ops.where(valid, losses, float("nan"))
    if ignored is not None:
        losses = ops.where(ignored, ops.zeros_like(losses), losses)
        set_mask(losses, ops.logical_not(ignored))
    return losses


def check_class_numbers(values: Array, classes: int) -> None:
    """Refuse class numbers out of range.

    Args:
        values: Class numbers on the host, of any shape.
        classes: Number of classes.

    Raises:
        ArgumentError: If a number is negative or `classes` or more.
    """
    if not values.size or (values.min() >= 0 and values.max() < classes):
        return
    wrong = np.unique(values[(values < 0) | (values >= classes)])[:5]
    raise ArgumentError(
        f"Labels must be class numbers from 0 to {classes - 1}, because the "
        f"predictions have {classes} classes; got numbers from {values.min()} to "
        f"{values.max()}, for example {wrong.tolist()}. Check the units of the last "
        "layer, or renumber the labels."
    )


def _in_range(labels: Tensor, classes: int) -> Tensor | None:
    """Check values that are known; otherwise return which are valid."""
    engine = active()
    if isinstance(labels, Operand) or not engine.is_concrete(labels):
        return ops.logical_and(ops.greater_equal(labels, 0), ops.less(labels, classes))
    check_class_numbers(engine.to_numpy(labels), classes)
    return None


@public
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Tensor:
    """Return a loss between mean absolute error and cross-entropy, for noisy labels.

    Args:
        y_true: Class numbers, (B,) or (B, 1).
        y_pred: Probabilities, (B, C).
        q: Between 0 (cross-entropy) and 1 (absolute error), both excluded.

    Returns:
        One value for each sample, (B,).

    Raises:
        ArgumentError: If `q` is out of range.

    Reference: Zhang and Sabuncu, 2018, "Generalized cross entropy loss for training
    deep neural networks with noisy labels", equation 6.
    """
    if not 0 < q < 1:
        raise ArgumentError(f"q must be between 0 and 1, both excluded; got {q!r}.")
    y_pred = as_floats(y_pred)
    labels = ops.cast(ops.convert_to_tensor(y_true), "int32")
    if len(labels.shape) == len(y_pred.shape) and labels.shape[-1] == 1:
        labels = ops.squeeze(labels, -1)
    chosen = ops.one_hot(labels, y_pred.shape[-1], dtype=ops.dtype(y_pred))
    p = ops.sum(ops.multiply(y_pred, chosen), axis=-1)
    return ops.divide(ops.subtract(1.0, ops.power(p, q)), q)


@public
def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """Return the Kullback-Leibler divergence from predictions to labels.

    Args:
        y_true: Probabilities, (B, ..., C).
        y_pred: Probabilities of the same shape.

    Returns:
        One value for each sample, (B, ...).
    """
    y_true, y_pred = pair(y_true, y_pred, "kl_divergence")
    tiny = config.epsilon()
    p, q = ops.clip(y_true, tiny, 1.0), ops.clip(y_pred, tiny, 1.0)
    return ops.sum(ops.multiply(p, ops.log(ops.divide(p, q))), axis=-1)


@public
def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean Poisson loss, the negative log-likelihood of counts.

    Args:
        y_true: Counts, (B, ..., F).
        y_pred: Predicted means of the same shape.

    Returns:
        One value for each sample, (B, ...).

    >>> poisson([[1.0]], [[1.0]]).tolist()
    [0.9999998807907104]
    """
    y_true, y_pred = pair(y_true, y_pred, "poisson")
    logs = ops.log(ops.add(y_pred, config.epsilon()))
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, logs)), axis=-1)
