"""From one loss per sample to one number."""

from __future__ import annotations

from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError, nearest
from polykeras.losses.alignment import as_dtype, same_rank, trailing_ones

__all__ = ["REDUCTIONS", "check_reduction", "mask_weight", "reduce_losses"]

REDUCTIONS: Final = (
    "sum_over_batch_size",
    "mean",
    "mean_with_sample_weight",
    "sum",
    "none",
    None,
)


def check_reduction(reduction: Any) -> None:
    """Refuse an unknown reduction.

    Raises:
        ArgumentError: If `reduction` is not one of `REDUCTIONS`.
    """
    if reduction not in REDUCTIONS:
        known = [r for r in REDUCTIONS if r]
        raise ArgumentError(
            f"Unknown reduction {reduction!r}. {nearest(reduction, known)}"
        )


def _weigh(losses: Tensor, sample_weight: Any, dtype: str) -> tuple[Tensor, Tensor]:
    weight = as_dtype(sample_weight, dtype)
    losses, weight = same_rank(losses, weight)
    weight = trailing_ones(weight, len(losses.shape))
    have, want = tuple(weight.shape), tuple(losses.shape)
    if len(have) > len(want) or any(
        a not in (1, b) for a, b in zip(have[::-1], want[::-1], strict=False)
    ):
        raise ShapeError(
            f"sample_weight has shape {have}, which does not fit losses of shape "
            f"{want}: give one weight for each sample, or for each loss."
        )
    return ops.multiply(losses, weight), weight


def reduce_losses(
    losses: Tensor, sample_weight: Any, reduction: str | None, dtype: str
) -> Tensor:
    """Weigh the losses of samples and reduce them.

    Args:
        losses: One loss for each sample: (B,) or (B, ...).
        sample_weight: Weights of the leading axes of `losses`, or None.
        reduction: One of `REDUCTIONS`. ``"mean_with_sample_weight"`` divides by the
            sum of the weights, the other means by the number of losses.
        dtype: The dtype of the result.

    Returns:
        A scalar, or for ``"none"`` weighed losses.

    Raises:
        ShapeError: If the weights do not fit.
    """
    losses = as_dtype(losses, dtype)
    weight = None
    if sample_weight is not None:
        losses, weight = _weigh(losses, sample_weight, dtype)
    if reduction in ("none", None) or (not losses.shape and weight is None):
        return losses
    total = ops.sum(losses)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weight is not None:
        weight = ops.broadcast_to(weight, losses.shape)
        return ops.divide_no_nan(total, ops.sum(weight))
    count = 1
    for n in losses.shape:
        count *= n
    return ops.divide(total, count) if count else total


def mask_weight(
    mask: Any, sample_weight: Any = None, dtype: str = "float32", mean: bool = True
) -> Tensor:
    """Combine a mask with sample weights.

    Args:
        mask: True where a loss counts, of the leading axes of the losses.
        sample_weight: Weights to multiply, or None.
        dtype: The dtype of the result.
        mean: Whether the losses will be divided by their number; then the weights
            grow so that the mean is over what counts.

    Returns:
        Sample weights.
    """
    weight = ops.cast(ops.convert_to_tensor(mask), dtype)
    if mean:
        count = 1
        for n in weight.shape:
            count *= n
        weight = ops.multiply(weight, ops.divide_no_nan(count, ops.sum(weight)))
    if sample_weight is None:
        return weight
    given = as_dtype(sample_weight, dtype)
    given, weight = same_rank(given, weight)
    rank = max(len(given.shape), len(weight.shape))
    return ops.multiply(trailing_ones(given, rank), trailing_ones(weight, rank))
