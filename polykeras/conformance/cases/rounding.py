"""Cases of `polykeras.ops.rounding`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT, ROUNDED, composed
from polykeras.conformance._case import FLOATS, NUMBERS, OpCase
from polykeras.conformance._samples import call, given, real, whole
from polykeras.conformance.cases._builders import SPECIAL, alias, binary, unary

__all__ = ["CASES"]

_HALVES: Final = call(given([0.5, 1.5, 2.5, -0.5, -1.5, 3.0]).constant()).noted(
    "halves"
)
_LIMITS: Final = call(SPECIAL).noted("special")
_KEPT: Final[dict[str, Any]] = {"dtypes": FLOATS, "result": None, "gradient": 1}
_ABS: Final = unary(
    "abs", np.abs, EXACT, dtypes=(*NUMBERS, "bool"), result=None, more=(_LIMITS,)
)


def _remainder_scale(x1: Any, x2: Any) -> Any:
    return np.maximum(np.abs(x1), np.abs(x2))


def _ratio(x1: Any, x2: Any) -> Any:
    return np.floor_divide(x1, x2)


CASES: Final = (
    _ABS,
    alias(_ABS, "absolute"),
    unary("fabs", np.abs, EXACT, dtypes=FLOATS),
    unary("sign", np.sign, EXACT, dtypes=NUMBERS, result=None, more=(_LIMITS,)),
    unary("signbit", np.signbit, EXACT, dtypes=FLOATS, result="bool", gradient=0),
    unary("floor", np.floor, EXACT, more=(_LIMITS,), gradient=1),
    unary("ceil", np.ceil, EXACT, more=(_LIMITS,), gradient=1),
    unary("trunc", np.trunc, EXACT, more=(_HALVES,), **_KEPT),
    OpCase(
        "round",
        samples=(
            call(real(2, 3)),
            _HALVES,
            call(real(4, low=-9, high=9), decimals=1),
        ),
        reference=np.round,
        bound=composed(2, "a product, a rounding and a division", low=2),
        dtypes=("float32", "float64"),
        gradient=1,
    ),
    binary(
        "heaviside",
        np.heaviside,
        EXACT,
        gradient=0,
        errors=(),
        more=(call(SPECIAL, real(6)),),
    ),
    binary(
        "floor_divide",
        _ratio,
        EXACT,
        low=0.5,
        high=3,
        dtypes=("float32", "float64", "int32", "uint8"),
        gradient=0,
    ),
    binary(
        "mod",
        np.remainder,
        composed(1, "exact but for one addition", scale=_remainder_scale),
        low=0.5,
        high=3,
        dtypes=("float32", "float64", "int32", "uint8"),
        gradient=1,
    ),
    binary(
        "fmod",
        np.fmod,
        EXACT,
        low=0.5,
        high=3,
        dtypes=("float32", "float64", "int32"),
        gradient=1,
    ),
    OpCase(
        "gcd",
        samples=(
            call(whole(2, 3, low=1, high=60), whole(3, low=1, high=60)),
            call(given([0, 0, 12], "int32"), given([0, 5, -18], "int32")),
        ),
        reference=np.gcd,
        bound=EXACT,
        dtypes=("int32",),
    ),
    OpCase(
        "lcm",
        samples=(
            call(whole(2, 3, low=1, high=60), whole(3, low=1, high=60)),
            call(given([0, 4, 6], "int32"), given([3, -6, 9], "int32")),
        ),
        reference=np.lcm,
        bound=EXACT,
        dtypes=("int32",),
    ),
    OpCase(
        "nextafter",
        samples=(call(given([0.0, 1.0, -1.0]), given([1.0, 0.0, -2.0])),),
        reference=lambda x1, x2: np.nextafter(
            x1.astype(np.float32), x2.astype(np.float32)
        ),
        bound=ROUNDED,
        dtypes=("float32",),
    ),
)
