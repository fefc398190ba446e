"""Cases of `polykeras.ops.sorting`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT
from polykeras.conformance._case import ANY, ErrorSample, OpCase
from polykeras.conformance._samples import call, given, real, whole
from polykeras.errors import ArgumentError, ShapeError

__all__ = ["CASES"]

_TIES: Final = given([[1, 3, 3, 1, 2], [0, 0, 2, 2, 0]]).constant()
_NAN: Final = given([1.0, float("nan"), -2.0, float("inf"), 0.0]).constant()
_AXIS: Final = (ErrorSample(call(real(2, 3), axis=2), ArgumentError, ("axis", "2")),)


def _argsort(x: Any, axis: int | None = -1) -> Any:
    return np.argsort(x, axis, kind="stable")


def _top_k(x: Any, k: int) -> Any:
    order = np.argsort(-x, -1, kind="stable")[..., :k]
    return np.take_along_axis(x, order, -1), order


def _parted(result: Any, x: Any, kth: int, axis: int = -1) -> Any:
    """Return the value at the place that a partition settles."""
    from polykeras import ops

    return ops.take(ops.take_along_axis(x, result, axis), kth, axis=axis)


def _kth(x: Any, kth: int, axis: int = -1) -> Any:
    return np.take(np.sort(x, axis), kth, axis)


def _in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    chosen = np.take_along_axis(predictions, targets[:, None], -1)
    return np.sum(predictions > chosen, -1) < k


CASES: Final = (
    OpCase(
        "sort",
        (
            call(real(3, 4)),
            call(_TIES, axis=0),
            call(real(2, 3), axis=None),
            call(_NAN).noted("NaN"),
            call(real(0, 3)),
        ),
        np.sort,
        EXACT,
        ANY,
        gradient=2,
        errors=_AXIS,
    ),
    OpCase(
        "argsort",
        (call(_TIES), call(real(3, 4), axis=0), call(_NAN).noted("NaN")),
        _argsort,
        EXACT,
        ANY,
        "int32",
        errors=_AXIS,
    ),
    OpCase(
        "top_k",
        (call(real(3, 5), 2), call(_TIES, 3), call(real(4), 1)),
        _top_k,
        EXACT,
        ("float32", "float64", "bfloat16", "float16", "int32", "int8"),
        (None, "int32"),
        gradient=1,
        errors=(ErrorSample(call(real(2, 3), 4), ArgumentError, ("4", "3")),),
    ),
    OpCase(
        "argpartition",
        (call(real(3, 5), 2), call(real(4, 3), 1, axis=0)),
        _kth,
        EXACT,
        ("float32", "int32"),
        view=_parted,
    ),
    OpCase(
        "searchsorted",
        (
            call(given([-1, 0, 0, 2, 3]), given([[-2, -1, 0], [1, 3, 4]])),
            call(given([-1, 0, 0, 2]), given([0, 2]), side="right"),
            call(given([-1.0, 0.0, 2.0]), _NAN).noted("NaN"),
        ),
        np.searchsorted,
        EXACT,
        ("float32", "float64", "int32"),
        "int32",
        errors=(ErrorSample(call(real(2, 3), real(2)), ShapeError, ("(2, 3)",)),),
    ),
    OpCase(
        "digitize",
        (call(real(2, 3), given([-1.0, 0.0, 1.0])), call(real(0), given([0.0, 1.0]))),
        np.digitize,
        EXACT,
        ("float32", "float64", "int32"),
        "int32",
    ),
    OpCase(
        "nonzero",
        (call(given([[0, 2, 1], [0, 0, -1]])), call(real(0, 2))),
        np.nonzero,
        EXACT,
        ("float32", "int32", "bool"),
        ("int32", "int32"),
        compiled=False,
    ),
    OpCase(
        "in_top_k",
        (call(whole(3, high=4), real(3, 4), 1), call(whole(5, high=3), real(5, 3), 2)),
        _in_top_k,
        EXACT,
        ("float32", "float64"),
        "bool",
    ),
)
