"""Labels against predictions, and weights against losses: ranks and shapes."""

from __future__ import annotations

from typing import Any

from polykeras import dtypes, ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError

__all__ = ["as_dtype", "as_floats", "pair", "same_rank", "trailing_ones"]


def same_rank(x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    """Drop or add a last axis of size 1 where the ranks differ by one.

    Labels of shape (n,) against outputs of shape (n, 1) would broadcast to
    (n, n); here they become (n, 1).

    Args:
        x1: A tensor.
        x2: A tensor.

    Returns:
        Both tensors, of one rank if that could be done.
    """
    if len(x1.shape) == len(x2.shape) + 1:
        x2, x1 = _fit(x2, x1)
    elif len(x2.shape) == len(x1.shape) + 1:
        x1, x2 = _fit(x1, x2)
    return x1, x2


def _fit(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    if high.shape[-1] != 1:
        return low, high
    if len(low.shape) == 1:
        return ops.expand_dims(low, -1), high
    return low, ops.squeeze(high, -1)


def trailing_ones(x: Tensor, rank: int) -> Tensor:
    """Append axes of size 1 until `x` has `rank` axes."""
    missing = rank - len(x.shape)
    return ops.reshape(x, (*x.shape, *(1,) * missing)) if missing > 0 else x


def as_dtype(x: Any, dtype: str) -> Tensor:
    """Return a tensor of a dtype; one that has it is returned as it is."""
    x = ops.convert_to_tensor(x)
    return x if ops.dtype(x) == dtype else ops.cast(x, dtype)


def as_floats(x: Any) -> Tensor:
    """Return a floating-point tensor."""
    x = ops.convert_to_tensor(x)
    return x if dtypes.is_float(ops.dtype(x)) else ops.cast(x, "float32")


def pair(y_true: Any, y_pred: Any, what: str) -> tuple[Tensor, Tensor]:
    """Return labels and predictions of one dtype that can be compared by element.

    Args:
        y_true: Labels.
        y_pred: Predictions.
        what: The name of the loss, for messages.

    Returns:
        Both as tensors in the dtype of `y_pred`.

    Raises:
        ShapeError: If labels do not broadcast to the shape of the predictions.
    """
    y_pred = as_floats(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    if ops.dtype(y_true) != ops.dtype(y_pred):
        y_true = ops.cast(y_true, ops.dtype(y_pred))
    given = tuple(y_true.shape), tuple(y_pred.shape)
    y_true, y_pred = same_rank(y_true, y_pred)
    have, want = tuple(y_true.shape), tuple(y_pred.shape)
    fits = len(have) == len(want) and all(
        a in (1, b) for a, b in zip(have, want, strict=True)
    )
    if have and not fits:
        raise ShapeError(
            f"{what} compares labels and predictions element by element, but y_true "
            f"has shape {given[0]} and y_pred has shape {given[1]}. Check the units "
            "of the last layer, and whether the labels need ops.one_hot."
        )
    return y_true, y_pred
