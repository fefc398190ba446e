"""The tuple form of a batch: x, (x, y) or (x, y, sample_weight)."""

from __future__ import annotations

from typing import Any

from polykeras.errors import DataError

__all__ = ["pack_x_y_sample_weight", "unpack_x_y_sample_weight"]


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Split a batch into inputs, targets and sample weights.

    Args:
        data: ``x``, ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``; a list stands
            for the tuple.

    Returns:
        ``(x, y, sample_weight)`` with None for what `data` lacks.

    Raises:
        DataError: If `data` has no element or more than three.

    >>> unpack_x_y_sample_weight(([1.0, 2.0], [0, 1]))
    ([1.0, 2.0], [0, 1], None)
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise DataError(
            "Expected a batch of the form x, (x,), (x, y) or (x, y, sample_weight), "
            f"got a {type(data).__name__} of {len(data)} elements. "
            "Wrap several inputs into one tuple or dict: ((a, b), y)."
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Join inputs, targets and sample weights to a batch.

    Args:
        x: Inputs.
        y: Targets, or None.
        sample_weight: Weight of each sample, or None.

    Returns:
        ``x`` itself if it is alone and no tuple or list, else ``(x,)``, ``(x, y)`` or
        ``(x, y, sample_weight)``.

    >>> pack_x_y_sample_weight([1.0, 2.0], [0, 1])
    ([1.0, 2.0], [0, 1])
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    if sample_weight is None:
        return x, y
    return x, y, sample_weight
