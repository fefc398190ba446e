"""Losses with a margin between right and wrong, as functions."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.losses.alignment import as_floats, pair
from polykeras.registry import public

__all__ = ["categorical_hinge", "circle", "hinge", "squared_hinge"]


def _signs(y_true: Tensor) -> Tensor:
    """Return labels -1 and 1 for labels 0 and 1; others stay."""
    is_binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    spread = ops.subtract(ops.multiply(2.0, y_true), 1.0)
    return ops.where(is_binary, spread, y_true)


def _margins(y_true: Any, y_pred: Any, what: str) -> Tensor:
    y_true, y_pred = pair(y_true, y_pred, what)
    agreement = ops.multiply(_signs(y_true), y_pred)
    return ops.maximum(ops.subtract(1.0, agreement), 0.0)


@public
def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of ``max(1 - y_true * y_pred, 0)`` over the last axis.

    Args:
        y_true: Labels -1 and 1, or 0 and 1, (B, ..., F).
        y_pred: Scores of the same shape.

    Returns:
        One value for each sample, (B, ...).

    >>> hinge([[1.0, -1.0]], [[0.5, -2.0]]).tolist()
    [0.25]
    """
    return ops.mean(_margins(y_true, y_pred, "hinge"), axis=-1)


@public
def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of ``max(1 - y_true * y_pred, 0)**2`` over the last axis.

    Args:
        y_true: Labels -1 and 1, or 0 and 1, (B, ..., F).
        y_pred: Scores of the same shape.

    Returns:
        One value for each sample, (B, ...).
    """
    return ops.mean(ops.square(_margins(y_true, y_pred, "squared_hinge")), axis=-1)


@public
def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """Return by how much the best wrong class comes within 1 of the right one.

    Args:
        y_true: One-hot labels, (B, ..., C).
        y_pred: Scores of the same shape.

    Returns:
        One value for each sample, (B, ...).
    """
    y_true, y_pred = pair(y_true, y_pred, "categorical_hinge")
    right = ops.sum(ops.multiply(y_true, y_pred), axis=-1)
    others = ops.multiply(ops.subtract(1.0, y_true), y_pred)
    wrong = ops.max(others, axis=-1)
    return ops.maximum(ops.add(ops.subtract(wrong, right), 1.0), 0.0)


@public
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """Return the circle loss of embeddings: near for equal labels, far for others.

    Args:
        y_true: Class numbers, (B,) or (B, 1).
        y_pred: Embeddings of length 1, (B, F).
        ref_labels: Class numbers to compare with, (R,); None means `y_true`.
        ref_embeddings: Embeddings to compare with, (R, F); None means `y_pred`.
        remove_diagonal: Whether a sample is not compared with itself.
        gamma: Scale of the similarities.
        margin: How much the decision is relaxed.

    Returns:
        One value for each sample, (B,).

    Reference: Sun et al., 2020, "Circle loss: a unified perspective of pair
    similarity optimization", equations 6 to 8.
    """
    y_pred = as_floats(y_pred)
    name = ops.dtype(y_pred)
    labels = ops.reshape(ops.cast(ops.convert_to_tensor(y_true), "int32"), (-1,))
    own = ref_embeddings is None
    reference = y_pred if own else ops.cast(ref_embeddings, name)
    ref_labels = (
        labels
        if ref_labels is None
        else ops.reshape(ops.cast(ops.convert_to_tensor(ref_labels), "int32"), (-1,))
    )
    distance = ops.subtract(1.0, ops.matmul(y_pred, ops.transpose(reference)))
    same = ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(ref_labels, 0))
    other = ops.logical_not(same)
    if remove_diagonal:
        itself = ops.eye(same.shape[0], same.shape[1], dtype="bool")
        same = ops.logical_and(same, ops.logical_not(itself))
    # Distances: positives should be below the margin, negatives above 1 - margin.
    near_weight = ops.maximum(ops.add(distance, margin), 0.0)
    far_weight = ops.maximum(ops.subtract(1.0 + margin, distance), 0.0)
    near = ops.multiply(near_weight, ops.subtract(distance, margin))
    far = ops.multiply(far_weight, ops.subtract(1.0 - margin, distance))
    pull, push = (
        ops.logsumexp(ops.where(kept, ops.multiply(gamma, x), _LEAST), axis=1)
        for kept, x in ((same, near), (other, far))
    )
    return ops.softplus(ops.add(pull, push))


# Like -inf under logsumexp, without its NaN gradient in empty rows.
_LEAST = -1e30
