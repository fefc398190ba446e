"""What depends on the batch size, which is not known.

The model is recorded with several stand-ins for it. Numbers that differ between the
recordings grow with it, and must do so evenly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from polykeras.errors import OperationNotSupported
from polykeras.export._recording import Recorded
from polykeras.ops._abstract import Spec

__all__ = ["STAND_INS", "BatchSize", "Counted", "merged"]

# Composite, so that they divide by strides and groups; unlikely as real sizes. Two
# give a line; the third must lie on it.
STAND_INS: Final = (5040, 10080, 20160)


@dataclass(frozen=True)
class BatchSize:
    """A number that grows with the batch size: ``factor * batch + offset``."""

    factor: int
    offset: int


class Counted(Recorded):
    """A scalar whose value grows with the batch size.

    Attributes:
        size: How it grows.
    """

    __slots__ = ("size",)

    def __init__(self, dtype: str, size: BatchSize) -> None:
        """Remember how it grows."""
        super().__init__((), dtype)
        self.size = size


def merged(*found: Any) -> Any:
    """Return an argument with `BatchSize` for the numbers that differ.

    Args:
        found: The argument in each recording.

    Raises:
        OperationNotSupported: If numbers depend on the batch size otherwise.
    """
    first = found[0]
    if isinstance(first, Spec):
        return _merged_tensor(*found)
    if isinstance(first, list | tuple):
        return type(first)(merged(*parts) for parts in zip(*found, strict=True))
    if isinstance(first, slice):
        ends = ([getattr(x, n) for x in found] for n in ("start", "stop", "step"))
        return slice(*(merged(*parts) for parts in ends))
    if isinstance(first, float) and any(repr(x) != repr(first) for x in found):
        raise _uneven("a number", found)
    if isinstance(first, int) and any(x != first for x in found):
        return _line("a size", found)
    return first


def _merged_tensor(first: Any, *others: Any) -> Any:
    value = getattr(first, "value", None)
    if value is None:
        return first
    values = [value, *(getattr(x, "value", None) for x in others)]
    if any(v is None for v in values):
        raise _uneven("a tensor", values)
    if all(np.array_equal(v, value, equal_nan=True) for v in values[1:]):
        return first
    if value.shape == () and all(float(v).is_integer() for v in values):
        return Counted(first.dtype, _line("a number", [int(v) for v in values]))
    raise _uneven("a tensor", values)


def _line(what: str, found: Any) -> BatchSize:
    a, b = STAND_INS[:2]
    factor, rest = divmod(found[1] - found[0], b - a)
    size = BatchSize(factor, found[0] - factor * a)
    expected = [size.factor * n + size.offset for n in STAND_INS]
    if rest or list(found) != expected:
        raise _uneven(what, found)
    return size


def _uneven(what: str, found: Any) -> OperationNotSupported:
    shown = ", ".join(str(x)[:40] for x in found)
    return OperationNotSupported(
        f"The model computes {what} from the batch size that does not grow evenly with "
        f"it ({shown} for batches of {', '.join(map(str, STAND_INS))}), which ONNX "
        "export cannot follow. Fix the size: Input(shape, batch_size=...)."
    )
