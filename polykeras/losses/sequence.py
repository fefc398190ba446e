"""Losses of sequences, as functions."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.losses.alignment import as_floats
from polykeras.registry import public

__all__ = ["ctc"]


@public
def ctc(y_true: Any, y_pred: Any) -> Tensor:
    """Return the connectionist temporal classification loss.

    Args:
        y_true: Class numbers, (B, L); 0, the blank, fills short sequences.
        y_pred: Logits, (B, T, C).

    Returns:
        One value for each sequence, (B,).

    Raises:
        ShapeError: If the ranks are others.

    Reference: Graves et al., 2006, "Connectionist temporal classification".
    """
    y_pred = as_floats(y_pred)
    labels = ops.cast(ops.convert_to_tensor(y_true), "int32")
    if len(labels.shape) != 2 or len(y_pred.shape) != 3:
        raise ShapeError(
            "ctc needs labels of shape (batch, length) and logits of shape (batch, "
            f"time, classes), got {tuple(labels.shape)} and {tuple(y_pred.shape)}."
        )
    lengths = ops.sum(ops.cast(ops.not_equal(labels, 0), "int32"), axis=-1)
    times = ops.full((y_pred.shape[0],), y_pred.shape[1], dtype="int32")
    return ops.ctc_loss(labels, y_pred, lengths, times, mask_index=0)
