"""Cases of `polykeras.ops.exponential`."""

from __future__ import annotations

from typing import Final

import numpy as np

from polykeras.conformance._bounds import ROUNDED, composed, elementary
from polykeras.conformance._case import FLOATS, ErrorSample, OpCase, inexact
from polykeras.conformance._samples import call, given, real
from polykeras.errors import ShapeError

__all__ = ["CASES"]

_UNARY: Final = (call(real(2, 3)), call(real()), call(real(0, 2)), call(real(1, 3, 1)))
_POSITIVE: Final = (call(real(2, 3, low=0.5, high=4.0)), call(real(5, low=1e-3)))
_PAIRS: Final = (call(real(2, 1, 3), real(4, 3)), call(real(3), real()))
_WITH_INTEGERS: Final = (*FLOATS, "int32", "bool")

CASES: Final = (
    OpCase(
        "exp",
        samples=(*_UNARY, call(real(4, low=-80, high=80)).noted("wide")),
        reference=np.exp,
        bound=elementary(),
        dtypes=_WITH_INTEGERS,
        result=inexact,
        gradient=2,
    ),
    OpCase(
        "sqrt",
        samples=_POSITIVE,
        reference=np.sqrt,
        bound=ROUNDED,
        dtypes=_WITH_INTEGERS,
        result=inexact,
        gradient=2,
    ),
    OpCase(
        "logaddexp",
        samples=(*_PAIRS, call(given([700.0, -700.0]), given([700.0, 700.0]))),
        reference=np.logaddexp,
        bound=composed(
            6,
            "exp and log1p of 4 ULP, whose sum with the maximum cancels near 0",
            scale=lambda x1, x2: np.maximum(np.abs(x1), np.abs(x2)) + 1.0,
        ),
        result=inexact,
        gradient=2,
        errors=(
            ErrorSample(
                call(real(2, 3), real(4)), ShapeError, ("(2, 3)", "(4,)", "logaddexp")
            ),
        ),
    ),
)
