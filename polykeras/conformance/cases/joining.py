"""Cases of `polykeras.ops.joining`: values move, so every result is exact."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.backend import Array
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import Sample, call, real, whole
from polykeras.conformance.cases.shaping import moving
from polykeras.errors import ArgumentError, ShapeError

__all__ = ["CASES"]


def _unstacked(x: Array, num: int | None = None, axis: int = 0) -> list[Array]:
    return list(np.moveaxis(x, axis, 0))


def _error(kind: type[Exception], sample: Sample, *words: str) -> ErrorSample:
    return ErrorSample(sample, kind, words)


def _repeated(x: Array, repeats: Any, axis: int | None = None) -> Array:
    return np.repeat(x, np.asarray(repeats, int), axis)


_UNLIKE: Final = _error(ShapeError, call([real(3, 4), real(4, 3)]), "(3, 4)", "(4, 3)")
_ODD: Final = _error(ShapeError, call(real(3, 3, 3), 2), "2 equal parts")

CASES: Final[tuple[OpCase, ...]] = (
    moving(
        "stack",
        np.stack,
        call([real(2, 3), real(2, 3)], 1),
        call([real(2, 3)], -1),
        call([real(), real()]),
        call([real(0, 2), real(0, 2)], -3),
        errors=(_UNLIKE, _error(ArgumentError, call([]), "at least one")),
    ),
    moving(
        "hstack",
        np.hstack,
        call([real(2, 3), real(2, 1)]),
        call([real(2), real(3)]),
        call([real(), real()]),
        errors=(_UNLIKE,),
    ),
    moving(
        "vstack",
        np.vstack,
        call([real(2, 3), real(1, 3)]),
        call([real(3), real(3)]),
        call([real(), real()]),
        errors=(_UNLIKE,),
    ),
    moving(
        "dstack",
        np.dstack,
        call([real(2, 3), real(2, 3)]),
        call([real(3), real(3)]),
        call([real(2, 3, 1), real(2, 3, 2)]),
        errors=(_error(ShapeError, call([real(3, 4), real(4, 3)]), "(3, 4, 1)"),),
    ),
    moving(
        "append",
        np.append,
        call(real(2, 3), real(1, 3), 0),
        call(real(2, 3), real(2, 1), -1),
        call(real(2, 3), real()),
        errors=(
            _error(ShapeError, call(real(2, 3), real(3, 2), 0), "(2, 3)", "(3, 2)"),
        ),
    ),
    moving(
        "unstack",
        _unstacked,
        call(real(2, 3, 2), axis=-2),
        call(real(3, 2), 3),
        call(real(2, 3), 3, 1),
        errors=(
            _error(ShapeError, call(real(3, 4), 2), "unstack", "expected 2"),
            _error(ArgumentError, call(real(3), axis=1), "axis 1"),
        ),
    ),
    moving(
        "split",
        np.split,
        call(real(4, 3), 2),
        call(real(2, 6), [1, 3], 1),
        call(real(2, 6), [3, 1], -1).noted("overlapping"),
        call(real(0, 6), 3, 1),
        errors=(_ODD, _error(ArgumentError, call(real(3), 3, 1), "axis 1")),
    ),
    moving(
        "array_split",
        np.array_split,
        call(real(2, 7), 3, 1),
        call(real(2), 4),
        call(real(5, 2), [2, 4]),
    ),
    moving(
        "hsplit",
        np.hsplit,
        call(real(2, 4, 2), 2),
        call(real(3), 3),
        call(real(2, 5), [1]),
        errors=(_ODD,),
    ),
    moving(
        "vsplit", np.vsplit, call(real(4, 2), 2), call(real(5, 2), [3]), errors=(_ODD,)
    ),
    moving(
        "dsplit",
        np.dsplit,
        call(real(1, 2, 4), 2),
        call(real(1, 2, 4), [1, 3]),
        errors=(_ODD,),
    ),
    moving(
        "tile",
        np.tile,
        call(real(2, 3), (2, 2)),
        call(real(2, 3), 2),
        call(real(2), (2, 1, 3)),
        call(real(2, 3), (0, 1)),
    ),
    moving(
        "repeat",
        _repeated,
        call(real(2, 3), 2, 1),
        call(real(2, 3), 2),
        call(real(3, 2), [1, 0, 2], 0),
        call(real(2, 3), 0, -1),
        errors=(
            _error(ArgumentError, call(real(3, 4), [1, 2], 0), "repeat", "2]"),
            _error(ArgumentError, call(real(3, 4), 2, 2), "axis 2"),
        ),
    ),
    moving(
        "meshgrid",
        np.meshgrid,
        call(real(2), real(3)),
        call(real(2), whole(3), real(1), indexing="ij"),
        call(real(2)),
        # The second grid of the second call keeps its own dtype.
        dtypes=("int32",),
        errors=(_error(ArgumentError, call(real(2), indexing="yx"), "'yx'"),),
    ),
)
