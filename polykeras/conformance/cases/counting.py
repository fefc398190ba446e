"""Cases of `polykeras.ops.counting` and `polykeras.ops.extents`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT, summed
from polykeras.conformance._case import OpCase
from polykeras.conformance._samples import call, given, real, whole

__all__ = ["CASES"]

_FEW: Final = given([3, 1, 3, 2, 1, 3], "int32")


def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    return np.bincount(x, weights, minlength)


def _sizes(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    if weights is None:
        return 0.0
    return np.bincount(x, np.abs(weights), minlength)


def _isin(x1: Any, x2: Any, invert: bool = False) -> Any:
    return np.isin(x1, x2, invert=invert)


def _histogram(x: Any, bins: int = 10, range: Any = None) -> Any:
    counts, edges = np.histogram(x, bins, range)
    return counts, edges


CASES: Final = (
    OpCase(
        "bincount",
        (call(_FEW),),
        _bincount,
        EXACT,
        ("float32",),
        "int32",
        compiled=False,
    ),
    OpCase(
        "histogram",
        (call(real(20), bins=5), call(real(20), bins=4, range=(-1.0, 1.0))),
        _histogram,
        summed(4, lambda x, bins=10, range=None: np.max(np.abs(x))),
        ("float32", "float64"),
        ("int32", None),
    ),
    OpCase(
        "isin",
        (
            call(whole(2, 3, high=5), whole(4, high=5)),
            call(real(5), real(0)),
            call(whole(6, high=5), whole(2, high=5), invert=True),
        ),
        _isin,
        EXACT,
        ("float32",),
        "bool",
    ),
    OpCase(
        "value_count",
        (call(real(2, 3)), call(real())),
        lambda x: np.asarray(x.size),
        EXACT,
        ("float32", "bool"),
        "int32",
    ),
    OpCase(
        "unique",
        (call(given([3, 1, 3, 2])), call(real(2, 3))),
        np.unique,
        EXACT,
        ("float32", "int32"),
        compiled=False,
    ),
)
