"""Cases of `polykeras.ops.statistics`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import scipy.special

from polykeras.conformance._bounds import composed, summed
from polykeras.conformance._case import FLOATS, ErrorSample, OpCase, inexact
from polykeras.conformance._samples import call, given, real
from polykeras.conformance.cases.reductions import errors_of, magnitude, over_axes
from polykeras.errors import ShapeError

__all__ = ["CASES"]

_WHOLE: Final = (*FLOATS, "int32", "bool")
_LARGE: Final = call(given([1000.0, 1001.0, 999.0])).noted("large")


def _squares(x: Any, axis: Any = None, keepdims: bool = False, **rest: Any) -> Any:
    return np.max(np.abs(x), axis=axis, keepdims=keepdims) ** 2 + 1.0


def _moments(x: Any, axes: Any, keepdims: bool = False) -> Any:
    how: dict[str, Any] = {"axis": tuple(axes), "keepdims": keepdims}
    return np.mean(x, **how), np.var(x, **how)


def _average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    return np.asarray(np.average(x, axis=axis, weights=weights))


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.asarray(scipy.special.logsumexp(x, axis=axis, keepdims=keepdims))


def _weighted(x: Any, axis: Any = None, weights: Any = None) -> Any:
    return np.max(np.abs(x)) * 4.0


def _of_logs(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.max(np.abs(x), axis=axis, keepdims=keepdims) + 4.0


CASES: Final = (
    OpCase(
        "mean",
        over_axes(),
        np.mean,
        summed(12, magnitude),
        _WHOLE,
        inexact,
        gradient=2,
        errors=errors_of("mean"),
    ),
    OpCase(
        "var",
        over_axes()[:3],
        np.var,
        composed(16, "a mean, squared differences and their mean", scale=_squares),
        _WHOLE,
        inexact,
        gradient=2,
        errors=errors_of("var"),
    ),
    OpCase(
        "std",
        over_axes()[:3],
        np.std,
        composed(16, "a variance and its root", scale=_squares),
        _WHOLE,
        inexact,
        gradient=2,
        errors=errors_of("std"),
    ),
    OpCase(
        "moments",
        (
            call(real(3, 4), axes=[0]),
            call(real(2, 3, 4), axes=(0, 2), keepdims=True),
            call(given([[300.0, 301.0], [299.0, 300.0]]), axes=[0]).noted("offset"),
        ),
        _moments,
        composed(
            16,
            "a mean, squared differences and their mean",
            scale=lambda x, axes, keepdims=False: _squares(x, tuple(axes), keepdims),
        ),
        gradient=2,
    ),
    OpCase(
        "logsumexp",
        over_axes(_LARGE),
        _logsumexp,
        composed(
            16, "exponentials, their sum of up to 12 and a logarithm", scale=_of_logs
        ),
        gradient=2,
        errors=errors_of("logsumexp"),
    ),
    OpCase(
        "average",
        (
            call(real(3, 4)),
            call(real(3, 4), axis=0),
            call(real(3, 4), axis=1, weights=real(4, low=0.5, high=2)),
            call(real(2, 3), weights=real(2, 3, low=0.5, high=2)),
        ),
        _average,
        composed(16, "a sum of up to 12 products and a division", scale=_weighted),
        gradient=2,
        errors=(
            ErrorSample(
                call(real(2, 3), axis=0, weights=real(3)),
                ShapeError,
                ("weights", "(3,)"),
            ),
        ),
    ),
)
