"""Cases of `polykeras.ops.indexing`: values move, so every result is exact."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.backend import Array
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import Sample, call, given, real, truth, whole
from polykeras.conformance.cases.shaping import moving
from polykeras.errors import ArgumentError, DTypeError, ShapeError

__all__ = ["CASES"]

_ALL: Final = slice(None)


def _error(kind: type[Exception], sample: Sample, *words: str) -> ErrorSample:
    return ErrorSample(sample, kind, words)


def _at(*rows: Any) -> Any:
    return given(rows, "int32")


def _indexed(x: Array, key: Any) -> Array:
    return np.asarray(x[key])


def _sequences(x: Array, length: int, stride: int) -> Array:
    starts = range(0, x.shape[-1] - length + 1, stride)
    return np.stack([x[..., i : i + length] for i in starts], -2)


CASES: Final[tuple[OpCase, ...]] = (
    moving(
        "basic_index",
        _indexed,
        call(real(4, 5, 3), (slice(1, 3, 1), None, slice(0, 5, 2), 1)),
        call(real(4, 5), (3, 2)),
        call(real(4, 5), (slice(3, 1, 1), slice(0, 5, 1))).noted("empty"),
    ),
    moving(
        "get_item",
        _indexed,
        call(real(4, 5), (slice(1, 3), None, slice(None, None, -2))),
        call(real(4, 5), -1),
        call(real(3, 4, 2), (..., -1, None)),
        call(real(4, 5), [0, 2, 0]).noted("rows, one twice"),
        call(real(4, 5, 2), ([0, 2], _ALL, [1, -1])).noted("parted"),
        call(real(4, 5, 2), (_ALL, [[0], [2]], [1, 0])).noted("side by side"),
        call(real(4, 5), (_at(0, -2), _at(1, 3))).noted("tensors"),
        call(real(2, 2), np.array([[True, False], [True, True]])).noted("mask"),
        call(real(3, 2), np.array([], np.int32)).noted("no rows"),
        errors=(
            _error(ArgumentError, call(real(4, 5), 4), "index 4 for axis 0"),
            _error(ArgumentError, call(real(4, 5), ([0], [5])), "index 5 for axis 1"),
            _error(ArgumentError, call(real(4, 5), (0, 0, 0)), "3 indices"),
            _error(DTypeError, call(real(4, 5), [0.5]), "float"),
        ),
    ),
    moving(
        "take",
        np.take,
        call(real(4, 3), whole(2, 2, low=-4, high=4), 0),
        call(real(4, 3), _at(2, -1, 2), axis=-1),
        call(real(4, 3), given([7, -12], "int64")),
        call(real(4, 3), given(1, "uint8"), 1),
        call(real(4, 3), whole(0, 2), 1),
        errors=(
            _error(
                ArgumentError,
                call(real(4, 3), _at(0, 4), 0),
                "take",
                "index 4 for axis 0 of size 4",
            ),
            _error(ArgumentError, call(real(4, 3), _at(-4), 1), "index -4 for axis 1"),
            _error(ArgumentError, call(real(0, 3), _at(0), 0), "empty axis"),
            _error(DTypeError, call(real(4, 3), real(1)), "expected integers"),
            _error(ArgumentError, call(real(4, 3), _at(0), 2), "axis 2"),
        ),
    ),
    moving(
        "take_along_axis",
        np.take_along_axis,
        call(real(4, 3), whole(4, 2, low=-3, high=3), 1),
        call(real(4, 3), whole(1, 3, high=4), axis=-2),
        call(real(2, 3), whole(4, low=-6, high=6), None),
        call(real(2, 3, 2), whole(1, 0, 2), 1),
        errors=(
            _error(
                ArgumentError,
                call(real(3, 4), given([[9]], "int32"), 1),
                "index 9 for axis 1",
            ),
            _error(ShapeError, call(real(3, 4), _at(0), 1), "2 axes"),
            _error(DTypeError, call(real(3, 4), truth(3, 1), 1), "take_along_axis"),
        ),
    ),
    moving(
        "extract_sequences",
        _sequences,
        call(real(2, 7), 3, 2),
        call(real(5), 5, 1),
        call(real(2, 1, 6), 2, 3),
        errors=(
            _error(ArgumentError, call(real(2), 3, 1), "shape (2,)", "got 3 and 1"),
            _error(ArgumentError, call(real(4), 2, 0), "extract_sequences"),
        ),
    ),
)
