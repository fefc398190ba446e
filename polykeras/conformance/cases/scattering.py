"""Cases of `polykeras.ops.scattering`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.backend import Array
from polykeras.conformance._bounds import summed
from polykeras.conformance._case import FLOATS, ErrorSample, OpCase
from polykeras.conformance._samples import Sample, call, given, real, whole
from polykeras.conformance.cases.shaping import moving
from polykeras.errors import ArgumentError, DTypeError, ShapeError

__all__ = ["CASES"]

_COMBINE: Final = {
    "add": np.add,
    "max": np.maximum,
    "min": np.minimum,
    "mul": np.multiply,
}


def _updated(x: Array, indices: Array, updates: Array, reduction: Any = None) -> Array:
    x = x.astype(np.result_type(x, updates) if x.dtype.kind == "f" else x.dtype)
    where = tuple(np.moveaxis(indices, -1, 0))
    if reduction is None:
        x[where] = updates
    else:
        combine: Any = _COMBINE[reduction]
        combine.at(x, where, updates.astype(x.dtype))
    return x


def _scale(x: Array, indices: Array, updates: Array, reduction: Any = None) -> Array:
    """Return what the terms sum to without their signs, or the factors multiply to."""
    return _updated(np.abs(x), indices, np.abs(updates), reduction)


def _scattered(indices: Array, values: Array, shape: Any) -> Array:
    return _updated(np.zeros(shape, values.dtype), indices, values, "add")


def _error(kind: type[Exception], sample: Sample, *words: str) -> ErrorSample:
    return ErrorSample(sample, kind, words)


def _at(*rows: list[int]) -> Any:
    return given(rows, "int32")


_ROWS: Final = _at([0], [2], [-1])
_TWICE: Final = _at([0], [2], [0], [-1], [2])
_CELLS: Final = _at([0, 1], [2, -1], [0, 1])

CASES: Final[tuple[OpCase, ...]] = (
    OpCase(
        "scatter_update",
        samples=(
            call(real(4, 3), _ROWS, real(3, 3)),
            call(real(4, 3), _TWICE, real(5, 3), "add"),
            call(real(4, 3), _CELLS, real(3), "max"),
            call(real(4, 3), _TWICE, real(5, 3), "min"),
            call(real(4, 3), _CELLS, real(3), "mul"),
            call(real(4, 3), whole(0, 1), real(0, 3)),
        ),
        reference=_updated,
        bound=summed(3, _scale),
        dtypes=(*FLOATS, "int32"),
        gradient=2,
        errors=(
            _error(
                ArgumentError,
                call(real(3, 4), _at([0, 4]), real(1), "add"),
                "scatter_update",
                "index 4",
            ),
            _error(ShapeError, call(real(3, 4), _at([0]), real(2)), "(1, 4)"),
            _error(ShapeError, call(real(3, 4), _at([0, 0, 0]), real(1)), "K"),
            _error(
                ArgumentError, call(real(3, 4), _at([0]), real(1, 4), "sum"), "'sum'"
            ),
            _error(DTypeError, call(real(3, 4), real(1, 1), real(1, 4)), "integers"),
        ),
    ),
    OpCase(
        "scatter",
        samples=(
            call(_TWICE, real(5, 2), (4, 2)),
            call(_CELLS, real(3), (3, 2)),
            call(whole(0, 1), real(0), (3,)),
        ),
        reference=_scattered,
        bound=summed(2, lambda i, v, shape: _scattered(i, np.abs(v), shape)),
        dtypes=(*FLOATS, "int32"),
        gradient=1,
        errors=(_error(ArgumentError, call(_at([4]), real(1), (4,)), "index 4"),),
    ),
    moving(
        "unravel_index",
        lambda i, shape: np.unravel_index(np.mod(i, np.prod(shape)), shape),
        call(whole(2, 3, low=-12, high=12), (3, 4)),
        call(given(23, "int32"), (2, 3, 4)),
        call(whole(0), (3, 4)),
        dtypes=("int32",),
        gradient=0,
    ),
)
