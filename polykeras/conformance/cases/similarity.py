"""Cases of `polykeras.ops.similarity` and `polykeras.ops.norms`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import composed
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import call, real
from polykeras.errors import ArgumentError

__all__ = ["CASES"]

_WIDE: Final = ("float32", "float64")


def _norm(
    x: Any,
    ord: Any = None,
    axis: Any = None,
    keepdims: bool = False,
) -> Any:
    return np.asarray(np.linalg.norm(x, ord, axis, keepdims))


def _normalize(
    x: Any, axis: int = -1, order: int = 2, epsilon: float | None = None
) -> Any:
    size = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.maximum(size, 1e-7 if epsilon is None else epsilon)


def _cdist(x: Any, y: Any) -> Any:
    return np.sqrt(np.sum((x[..., :, None, :] - y[..., None, :, :]) ** 2, -1))


def _psnr(x1: Any, x2: Any, max_val: float) -> Any:
    return np.asarray(20 * np.log10(max_val) - 10 * np.log10(np.mean((x1 - x2) ** 2)))


CASES: Final = (
    OpCase(
        "corrcoef",
        (call(real(3, 5)), call(real(2, 4))),
        np.corrcoef,
        composed(
            48, "means, 5 products, two roots and a division", scale=lambda x: 1.0
        ),
        _WIDE,
        gradient=1,
    ),
    OpCase(
        "correlate",
        (
            call(real(6), real(3)),
            call(real(6), real(3), mode="same"),
            call(real(4), real(3), mode="full"),
        ),
        np.correlate,
        composed(4, "a sum of at most 3 products", scale=lambda x1, x2, mode="": 8.0),
        _WIDE,
        gradient=2,
        errors=(
            ErrorSample(
                call(real(4), real(2), mode="half"), ArgumentError, ("'half'", "same")
            ),
        ),
    ),
    OpCase(
        "cdist",
        (call(real(4, 3), real(5, 3)), call(real(2, 2, 3), real(2, 1, 3))),
        _cdist,
        composed(
            64,
            "squares of norms less twice a product, which cancel, and a root",
            scale=lambda x, y: np.max(np.abs(x)) + np.max(np.abs(y)),
        ),
        _WIDE,
        gradient=1,
    ),
    OpCase(
        "psnr",
        (call(real(2, 3), real(2, 3), 1.0),),
        _psnr,
        composed(16, "a mean of 6 squares and a logarithm", scale=lambda *a: 8.0),
        _WIDE,
        gradient=1,
    ),
    OpCase(
        "norm",
        (
            call(real(3, 4)),
            call(real(3, 4), axis=1, keepdims=True),
            call(real(3, 4), ord=1, axis=0),
            call(real(5), ord=3),
            call(real(3, 4), ord="fro"),
            call(real(3, 4), ord=float("inf"), axis=(0, 1)),
        ),
        _norm,
        composed(16, "a sum of up to 12 squares and a root"),
        _WIDE,
        gradient=1,
    ),
    OpCase(
        "normalize",
        (call(real(3, 4)), call(real(2, 3), axis=0), call(real(2, 3), order=1)),
        _normalize,
        composed(16, "a norm of up to 4 terms and a division"),
        gradient=2,
    ),
)
