"""Cases of `polykeras.ops.scans`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras import dtypes
from polykeras.conformance._bounds import composed, summed
from polykeras.conformance._case import FLOATS, ErrorSample, OpCase
from polykeras.conformance._samples import call, real
from polykeras.errors import ArgumentError

__all__ = ["CASES"]


def _running(x: Any, axis: int | None = None, **rest: Any) -> Any:
    return np.cumsum(np.abs(x), axis=axis)


def _diff_scale(a: Any, n: int = 1, axis: int = -1) -> Any:
    return np.max(np.abs(a)) * 2.0**n


def _area(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    return np.sum(np.abs(y)) * 4.0


def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    return np.asarray(np.trapezoid(y, x, dx, axis))


def _no_axis(op: str) -> tuple[ErrorSample, ...]:
    return (ErrorSample(call(real(2, 3), axis=2), ArgumentError, ("axis", "2")),)


CASES: Final = (
    OpCase(
        "cumsum",
        (call(real(3, 4), axis=1), call(real(2, 3)), call(real(0, 3), axis=0)),
        np.cumsum,
        summed(6, _running),
        (*FLOATS, "int32", "bool"),
        dtypes.sum_dtype,
        gradient=2,
        errors=_no_axis("cumsum"),
    ),
    OpCase(
        "cumprod",
        (
            call(real(3, 4, low=0.6, high=1.6), axis=1),
            call(real(2, 3, low=0.6, high=1.6)),
            call(real(0, 3), axis=0),
        ),
        np.cumprod,
        composed(6, "a product of at most 6 factors"),
        ("float32", "float64", "int32"),
        gradient=2,
        errors=_no_axis("cumprod"),
    ),
    OpCase(
        "diff",
        (call(real(3, 4)), call(real(2, 5), n=2), call(real(3, 4), axis=0)),
        np.diff,
        composed(2, "a difference a time", scale=_diff_scale),
        (*FLOATS, "int32"),
        gradient=2,
    ),
    OpCase(
        "trapezoid",
        (
            call(real(3, 4)),
            call(real(5), real(5, low=0, high=3)),
            call(real(3, 4), dx=0.5, axis=0),
        ),
        _trapezoid,
        composed(8, "sums of neighbours, products and their sum", scale=_area),
        gradient=2,
    ),
)
