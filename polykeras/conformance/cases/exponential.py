"""Cases of `polykeras.ops.exponential`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import ROUNDED, composed, elementary
from polykeras.conformance._case import FLOATS, OpCase
from polykeras.conformance._samples import call, given, real, whole
from polykeras.conformance.cases._builders import SPECIAL, binary, unary

__all__ = ["CASES"]

_WIDE: Final = call(real(4, low=-9, high=9)).noted("wide")
_LIMITS: Final = call(SPECIAL).noted("special")


def _largest(x1: Any, x2: Any) -> Any:
    return np.maximum(np.abs(x1), np.abs(x2)) + 1.0


CASES: Final = (
    unary("exp", np.exp, elementary(), more=(_WIDE, _LIMITS)),
    unary("expm1", np.expm1, elementary(8), more=(_WIDE, _LIMITS)),
    unary("exp2", np.exp2, elementary(), more=(_WIDE,)),
    unary("log", np.log, elementary(), low=0.5, high=4, more=(_LIMITS,)),
    unary("log1p", np.log1p, elementary(6), low=-0.4, high=4),
    unary("log2", np.log2, elementary(6), low=0.5, high=4),
    unary("log10", np.log10, elementary(6), low=0.5, high=4),
    unary("sqrt", np.sqrt, ROUNDED, low=0.5, high=4, more=(_LIMITS,)),
    unary(
        "rsqrt",
        lambda x: 1 / np.sqrt(x),
        composed(4, "a square root and a division, or an instruction of 4 ULP"),
        low=0.5,
        high=4,
    ),
    unary("cbrt", np.cbrt, elementary(), low=0.5, high=4),
    binary(
        "logaddexp",
        np.logaddexp,
        composed(
            6, "exp and log1p, whose sum with the maximum cancels", scale=_largest
        ),
        more=(call(given([700.0, -700.0]), given([700.0, 700.0])),),
    ),
    binary(
        "logaddexp2",
        np.logaddexp2,
        composed(
            6, "exp2 and log2, whose sum with the maximum cancels", scale=_largest
        ),
    ),
    binary("power", np.power, elementary(16, "pow, 16 ULP by OpenCL"), low=0.5, high=3),
    binary(
        "hypot",
        np.hypot,
        composed(4, "two squares, their sum and a root"),
        low=0.5,
        high=3,
    ),
    OpCase(
        "ldexp",
        samples=(
            call(real(2, 3), whole(2, 3, low=-3, high=4)),
            call(real(3), whole(low=0, high=3)),
        ),
        reference=lambda x1, x2: x1 * np.exp2(x2.astype(float)),
        bound=ROUNDED,
        dtypes=FLOATS,
        gradient=2,
    ),
)
