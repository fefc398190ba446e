"""Cases of `polykeras.ops.softmax`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import scipy.special

from polykeras.conformance._bounds import composed
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import call, given, real
from polykeras.errors import ArgumentError

__all__ = ["CASES"]

_SAMPLES: Final = (
    call(real(3, 5)),
    call(real(2, 3, 4), axis=1),
    call(real(2, 3, 4), axis=(1, 2)),
    call(given([1000.0, 1001.0, 0.0])).noted("large"),
)
_AXIS: Final = (ErrorSample(call(real(2, 3), axis=2), ArgumentError, ("axis", "2")),)


def _gradient(g: Any, out: Any, axis: tuple[int, ...]) -> Any:
    return out * (g - np.sum(g * out, axis, keepdims=True))


def _softmax(x: Any, axis: Any = -1) -> Any:
    return scipy.special.softmax(x, axis)


def _log_softmax(x: Any, axis: Any = -1) -> Any:
    return scipy.special.log_softmax(x, axis)


def _sparsemax(x: Any, axis: int = -1) -> Any:
    z = np.moveaxis(x, axis, -1)
    ordered = -np.sort(-z, -1)
    total = np.cumsum(ordered, -1)
    k = np.arange(1, z.shape[-1] + 1)
    inside = 1 + k * ordered > total
    count = np.sum(inside, -1, keepdims=True)
    threshold = (np.take_along_axis(total, count - 1, -1) - 1) / count
    return np.moveaxis(np.maximum(z - threshold, 0), -1, axis)


def _logs(x: Any, axis: Any = -1) -> Any:
    return np.max(np.abs(x), axis=axis, keepdims=True) + 4.0


CASES: Final = (
    OpCase(
        "softmax",
        _SAMPLES,
        _softmax,
        composed(24, "exponentials of differences, their sum of up to 12, a division"),
        gradient=2,
        errors=_AXIS,
    ),
    OpCase(
        "log_softmax",
        _SAMPLES,
        _log_softmax,
        composed(16, "a sum of up to 12 exponentials and its logarithm", scale=_logs),
        gradient=2,
        errors=_AXIS,
    ),
    OpCase(
        "softmax_gradient",
        (
            call(real(3, 4), real(3, 4, low=0.1, high=0.4), (1,)),
            call(real(2, 3, 2), real(2, 3, 2, low=0.1, high=0.3), (1, 2)),
        ),
        _gradient,
        composed(12, "a sum of up to 6 products and a product", scale=lambda *a: 2.0),
        gradient=2,
    ),
    OpCase(
        "sparsemax",
        (call(real(3, 5)), call(real(4, 2), axis=0)),
        _sparsemax,
        composed(
            12, "a running sum of up to 5 and a division", scale=lambda *a, **k: 4.0
        ),
        ("float32", "float64"),
        gradient=1,
    ),
)
