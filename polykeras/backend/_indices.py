"""The error for an index outside a tensor, the same from every kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polykeras.errors import ArgumentError

__all__ = ["check_indices"]


def check_indices(op: str, indices: Any, size: int | Sequence[int], axis: int) -> None:
    """Raise if an index is outside an axis.

    Kernels call this with concrete values: always where that is cheap, otherwise
    after the library refused.

    Args:
        op: The op's public name.
        indices: Integers on the host; with several sizes the last axis holds one
            index for each.
        size: Of the axis; or the sizes of consecutive axes.
        axis: The axis, or the first of them.

    Raises:
        ArgumentError: Names the first index that does not fit.
    """
    values = np.asarray(indices)
    sizes = np.asarray(size)
    wrong = (values < -sizes) | (values >= sizes)
    if not wrong.any():
        return
    place = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    if sizes.ndim:
        axis += int(place[-1])
        n = int(sizes[place[-1]])
    else:
        n = int(sizes)
    allowed = f"Use a value from {-n} to {n - 1}." if n else "The axis is empty."
    raise ArgumentError(
        f"polykeras.ops.{op} got the index {int(values[place])} for axis {axis} of "
        f"size {n}. {allowed}"
    )
