"""Cases of `polykeras.ops.quantiles`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import composed
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import Sample, call, real
from polykeras.conformance.cases.reductions import NAN
from polykeras.errors import ArgumentError

__all__ = ["CASES"]

_BETWEEN: Final = composed(
    4,
    "a weight, two products and their sum",
    scale=lambda x, *args, **how: np.nanmax(np.abs(x)),
)


def _quantile(op: str, reference: Callable[..., Any], unit: float) -> OpCase:
    nan = op.startswith("nan")
    first = NAN if nan else real(3, 4)
    samples: tuple[Sample, ...] = (
        call(first, 0.5 * unit, axis=1),
        call(real(3, 5), [0.25 * unit, 0.8 * unit], axis=0, keepdims=True),
        call(real(2, 3, 4), 0.3 * unit, axis=(0, 2), method="nearest"),
        call(real(7), 0.3 * unit, method="lower"),
        call(real(7), 0.3 * unit, method="higher"),
        call(real(6), 0.3 * unit, method="midpoint"),
    )
    return OpCase(
        op,
        samples,
        lambda x, q, **how: np.asarray(reference(x, q, **how)),
        _BETWEEN,
        ("float32", "float64"),
        gradient=0 if nan else 1,
        errors=(
            ErrorSample(
                call(real(3), 0.5 * unit, method="best"),
                ArgumentError,
                ("'best'", "linear"),
            ),
        ),
    )


def _median(op: str, reference: Callable[..., Any]) -> OpCase:
    first = NAN if op.startswith("nan") else real(3, 4)
    samples = (
        call(first, axis=1),
        call(real(5)),
        call(real(2, 3, 4), axis=(0, 2), keepdims=True),
    )
    return OpCase(
        op,
        samples,
        lambda x, **how: np.asarray(reference(x, **how)),
        _BETWEEN,
        ("float32", "float64"),
        gradient=0 if op.startswith("nan") else 1,
    )


CASES: Final = (
    _quantile("quantile", np.quantile, 1),
    _quantile("nanquantile", np.nanquantile, 1),
    _quantile("percentile", np.percentile, 100),
    _quantile("nanpercentile", np.nanpercentile, 100),
    _median("median", np.median),
    _median("nanmedian", np.nanmedian),
)
