"""Cases of `polykeras.ops.blocks`: values move, so every result is exact."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.backend import Array
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import Sample, call, given, real, whole
from polykeras.conformance.cases.shaping import moving
from polykeras.errors import ArgumentError

__all__ = ["CASES"]


def _place(x: Array, start: Any, shape: Any) -> tuple[slice, ...]:
    """Return the block, moved so that it fits."""
    sizes = zip(np.asarray(start), shape, x.shape, strict=True)
    begins = [(int(s) + n if s < 0 else int(s), k, n) for s, k, n in sizes]
    return tuple(slice(min(s, n - k), min(s, n - k) + k) for s, k, n in begins)


def _slice(x: Array, start: Any, shape: Any) -> Array:
    return x[_place(x, start, shape)]


def _updated(x: Array, start: Any, updates: Array) -> Array:
    x = x.copy()
    x[_place(x, start, updates.shape)] = updates
    return x


def _error(kind: type[Exception], sample: Sample, *words: str) -> ErrorSample:
    return ErrorSample(sample, kind, words)


_TRACED: Final = given([1, -2], "int32")
_PAST: Final = given([3, 1], "int32")

CASES: Final[tuple[OpCase, ...]] = (
    moving(
        "slice",
        _slice,
        call(real(4, 5), (1, 2), (2, 3)),
        call(real(4, 5), (0, -2), (4, 1)),
        call(real(4, 5), _TRACED, (2, 2)).noted("start in a tensor"),
        call(real(4, 5), _PAST, (2, 5)).noted("moved to fit"),
        call(real(4, 5), (1, 1), (0, 2)).noted("empty"),
        errors=(
            _error(
                ArgumentError,
                call(real(3, 4), (2, 0), (2, 2)),
                "slice",
                "axis 0 is too short",
            ),
            _error(ArgumentError, call(real(3, 4), (0,), (2, 2)), "2 axes"),
        ),
    ),
    moving(
        "slice_update",
        _updated,
        call(real(4, 5), (1, 2), real(2, 3)),
        call(real(4, 5), _TRACED, real(2, 2)).noted("start in a tensor"),
        call(real(4, 5), _PAST, real(2, 5)).noted("moved to fit"),
        call(real(4, 5), (0, 0), whole(4, 5, high=2, dtype="bool")).noted("all of it"),
        errors=(
            _error(ArgumentError, call(real(3, 4), (2, 0), real(2, 2)), "axis 0"),
            _error(ArgumentError, call(real(3, 4), (0, 0), real(2)), "2 axes"),
        ),
    ),
)
