"""Which query may look at which key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from polykeras import ops
from polykeras.backend import Tensor

__all__ = ["all_of", "automatic_mask", "causal_mask", "masked_softmax", "spread"]


def all_of(masks: Iterable[Tensor | None]) -> Tensor | None:
    """Return where all masks are True, ignoring those that are None."""
    found = None
    for mask in masks:
        if mask is not None:
            new = ops.cast(mask, "bool")
            found = new if found is None else ops.logical_and(found, new)
    return found


def causal_mask(queries: int, keys: int) -> Tensor:
    """Return ``(1, T, S)``, True where the key is not after the query."""
    row = ops.reshape(ops.arange(queries), (1, queries, 1))
    return ops.greater_equal(row, ops.reshape(ops.arange(keys), (1, 1, keys)))


def _window_mask(queries: int, keys: int, size: int) -> Tensor:
    """Return ``(1, T, S)``, True where query and key are less than `size` apart."""
    row = ops.reshape(ops.arange(queries), (1, queries, 1))
    distance = ops.subtract(row, ops.reshape(ops.arange(keys), (1, 1, keys)))
    return ops.less(ops.abs(distance), size)


def automatic_mask(
    query: Tensor,
    value: Tensor,
    query_mask: Tensor | None,
    value_mask: Tensor | None,
    key_mask: Tensor | None,
    *,
    use_causal_mask: bool,
    sliding_window: int | None,
) -> Tensor | None:
    """Merge the masks that follow the tensors, the causal one and the window.

    Args:
        query: ``(B, T, ...)``.
        value: ``(B, S, ...)``.
        query_mask: ``(B, T)`` or None.
        value_mask: ``(B, S)`` or None.
        key_mask: ``(B, S)`` or None.
        use_causal_mask: Whether later keys are hidden.
        sliding_window: Distance at which keys are hidden, or None.

    Returns:
        A boolean tensor that broadcasts to ``(B, T, S)``, or None if nothing is
        hidden.
    """
    queries, keys = query.shape[1], value.shape[1]
    return all_of(
        [
            None if query_mask is None else ops.expand_dims(query_mask, -1),
            None if value_mask is None else ops.expand_dims(value_mask, -2),
            None if key_mask is None else ops.expand_dims(key_mask, -2),
            causal_mask(queries, keys) if use_causal_mask else None,
            _window_mask(queries, keys, sliding_window) if sliding_window else None,
        ]
    )


def masked_softmax(scores: Tensor, mask: Tensor | None, axis: Any = -1) -> Tensor:
    """Return weights that sum to 1, 0 where the mask is False.

    Scores of 16 bits are weighed in float32. A row without any True weighs all alike.

    Args:
        scores: A floating-point tensor.
        mask: Boolean, broadcast to `scores`, or None.
        axis: The axes to sum over.
    """
    dtype = ops.dtype(scores)
    if dtype in ("float16", "bfloat16"):
        scores = ops.cast(scores, "float32")
    if mask is not None:
        # Far below any score, and differences of two of them are still finite.
        lowest = -0.7 * float(np.finfo(ops.dtype(scores)).max)
        scores = ops.where(mask, scores, lowest)
    return ops.cast(ops.softmax(scores, axis=axis), dtype)


def spread(mask: Tensor | None, rank: int, attended: int) -> Tensor | None:
    """Insert axes for the heads, and what else is missing, before those attended.

    Args:
        mask: Ends in `attended` axes of queries and as many of keys; None stays None.
        rank: Number of axes of the scores.
        attended: Number of axes attended over.
    """
    if mask is None:
        return None
    while len(mask.shape) < rank:
        mask = ops.expand_dims(mask, -2 * attended - 1)
    return mask
