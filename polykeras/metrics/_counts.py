"""True and false positives and negatives at many thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from polykeras import ops
from polykeras.allocation import charge
from polykeras.errors import ArgumentError
from polykeras.losses.alignment import pair, same_rank, trailing_ones

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = ["BELOW_ALL", "Counts", "check_thresholds", "count", "even_thresholds"]

# Lower than every prediction: what a metric of the top k compares with.
BELOW_ALL: Final = -1e10


class Counts(NamedTuple):
    """Weighted counts, one for each threshold: (T,) or (T, labels)."""

    true_positives: Tensor
    false_positives: Tensor
    true_negatives: Tensor
    false_negatives: Tensor


def check_thresholds(thresholds: Any, default: float = 0.5) -> list[float]:
    """Return thresholds as a list.

    Raises:
        ArgumentError: If one is not between 0 and 1.
    """
    if thresholds is None:
        return [default]
    values = list(thresholds) if isinstance(thresholds, list | tuple) else [thresholds]
    wrong = [t for t in values if t is None or not 0 <= t <= 1]
    if wrong or not values:
        raise ArgumentError(
            f"Thresholds must be numbers from 0 to 1, got {thresholds!r}."
        )
    return [float(t) for t in values]


def even_thresholds(number: int, below: float, above: float) -> list[float]:
    """Return `number` thresholds from 0 to 1, of which the ends are moved."""
    # A number in a list takes about as much as eight float32 values.
    charge((number, 8), "float32", "thresholds")
    inner = [(i + 1) / (number - 1) for i in range(number - 2)]
    return [0.0 - below, *inner, 1.0 + above]


def count(
    y_true: Any,
    y_pred: Any,
    sample_weight: Any,
    thresholds: Sequence[float],
    dtype: str,
    *,
    evenly: bool = False,
    class_id: int | None = None,
    top_k: int | None = None,
    by_label: bool = False,
) -> Counts:
    """Count how predictions above each threshold meet the labels.

    Args:
        y_true: Labels 0 or 1, any shape.
        y_pred: Probabilities of the same shape.
        sample_weight: Weights of the leading axes, or None.
        thresholds: In rising order if `evenly`.
        dtype: The dtype of the counts.
        evenly: Whether the thresholds divide [0, 1] into equal parts, so that one
            pass over the predictions is enough.
        class_id: The only class to look at, on the last axis; None for all.
        top_k: Only the `top_k` largest predictions of a row can be positive.
        by_label: Whether to count each column of the last axis for itself.

    Returns:
        The four counts.
    """
    y_pred = ops.cast(ops.convert_to_tensor(y_pred), dtype)
    y_true, y_pred = pair(y_true, y_pred, "A metric")
    y_true = ops.broadcast_to(y_true, y_pred.shape)
    if top_k is not None:
        y_pred = _only_top(y_pred, top_k)
    if class_id is not None:
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
    weight = _weights(sample_weight, y_pred, dtype)
    labels = y_pred.shape[-1] if by_label and len(y_pred.shape) > 1 else None
    form = (-1,) if labels is None else (-1, labels)
    y_true, y_pred, weight = (ops.reshape(x, form) for x in (y_true, y_pred, weight))
    if evenly:
        positive = ops.multiply(y_true, weight)
        negative = ops.multiply(ops.subtract(1.0, y_true), weight)
        above = [_above_even(x, y_pred, len(thresholds)) for x in (positive, negative)]
    else:
        is_true = ops.cast(ops.cast(y_true, "bool"), dtype)
        positive = ops.multiply(is_true, weight)
        negative = ops.multiply(ops.subtract(1.0, is_true), weight)
        above = [_above_each(x, y_pred, thresholds) for x in (positive, negative)]
    hits, false_alarms = above
    return Counts(
        hits,
        false_alarms,
        ops.subtract(ops.sum(negative, axis=0), false_alarms),
        ops.subtract(ops.sum(positive, axis=0), hits),
    )


def _weights(sample_weight: Any, like: Tensor, dtype: str) -> Tensor:
    if sample_weight is None:
        return ops.ones(like.shape, dtype=dtype)
    weight = ops.cast(ops.convert_to_tensor(sample_weight), dtype)
    _, weight = same_rank(like, weight)
    return ops.broadcast_to(trailing_ones(weight, len(like.shape)), like.shape)


def _only_top(y_pred: Tensor, k: int) -> Tensor:
    _, chosen = ops.top_k(y_pred, k, sorted=False)
    kept = ops.sum(ops.one_hot(chosen, y_pred.shape[-1], dtype="float32"), axis=-2)
    return ops.where(ops.greater(kept, 0), y_pred, 10 * BELOW_ALL)


def _above_each(amount: Tensor, y_pred: Tensor, thresholds: Sequence[float]) -> Tensor:
    """Return the sum of `amount` where predictions exceed each threshold."""
    limits = ops.convert_to_tensor(list(thresholds), dtype=ops.dtype(y_pred))
    limits = ops.reshape(limits, (-1, *(1,) * len(y_pred.shape)))
    over = ops.cast(ops.greater(y_pred, limits), ops.dtype(amount))
    return ops.sum(ops.multiply(over, amount), axis=1)


def _above_even(amount: Tensor, y_pred: Tensor, number: int) -> Tensor:
    """Return the same for evenly spaced thresholds, by a histogram."""
    scaled = ops.multiply(ops.clip(y_pred, 0.0, 1.0), number - 1)
    bucket = ops.maximum(ops.cast(ops.subtract(ops.ceil(scaled), 1), "int32"), 0)
    columns = y_pred.shape[1] if len(y_pred.shape) > 1 else 1
    if len(y_pred.shape) > 1:
        offsets = ops.multiply(ops.arange(columns, dtype="int32"), number)
        bucket = ops.add(bucket, offsets)
    sums = ops.segment_sum(
        ops.reshape(amount, (-1,)),
        ops.reshape(bucket, (-1,)),
        num_segments=number * columns,
    )
    sums = ops.reshape(sums, (columns, number))
    above = ops.flip(ops.cumsum(ops.flip(sums, axis=-1), axis=-1), axis=-1)
    return ops.transpose(above) if len(y_pred.shape) > 1 else above[0]
