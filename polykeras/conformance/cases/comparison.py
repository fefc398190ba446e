"""Cases of `polykeras.ops.comparison`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT
from polykeras.conformance._case import FLOATS, NUMBERS, OpCase
from polykeras.conformance._samples import call, real, truth
from polykeras.conformance.cases._builders import SPECIAL, binary, unary
from polykeras.conformance.cases.arithmetic import DIVISION

__all__ = ["CASES"]

_LIMITS: Final = call(SPECIAL).noted("special")
_TWO: Final = call(SPECIAL, real(6).constant()).noted("special")


def _compare(op: str, reference: Any) -> OpCase:
    return binary(
        op,
        reference,
        EXACT,
        dtypes=(*NUMBERS, "bool"),
        result="bool",
        gradient=0,
        more=(call(SPECIAL, SPECIAL).noted("special"),),
    )


def _test(op: str, reference: Any) -> OpCase:
    return unary(
        op,
        reference,
        EXACT,
        dtypes=(*FLOATS, "int32"),
        result="bool",
        gradient=0,
        more=(_LIMITS,),
    )


def _where(condition: Any, x1: Any, x2: Any) -> Any:
    return np.where(condition, x1, x2)


def _select(conditions: Any, choices: Any, default: Any = 0) -> Any:
    return np.select(list(conditions), list(choices), default)


def _no_nan(x1: Any, x2: Any) -> Any:
    return np.where(x2 == 0, 0.0, x1 / np.where(x2 == 0, 1, x2))


CASES: Final = (
    _compare("equal", np.equal),
    _compare("not_equal", np.not_equal),
    _compare("less", np.less),
    _compare("less_equal", np.less_equal),
    _compare("greater", np.greater),
    _compare("greater_equal", np.greater_equal),
    OpCase(
        "where",
        samples=(
            call(truth(2, 3), real(2, 3), real(2, 3)),
            call(truth(3, 1), real(2, 1, 4), real()),
            call(truth(0, 2), real(2), real(1, 2)),
        ),
        reference=_where,
        bound=EXACT,
        dtypes=(*NUMBERS, "bool"),
        gradient=2,
    ),
    binary("maximum", np.maximum, EXACT, dtypes=NUMBERS, more=(_TWO,)),
    binary("minimum", np.minimum, EXACT, dtypes=NUMBERS, more=(_TWO,)),
    binary("fmax", np.fmax, EXACT, dtypes=FLOATS, more=(_TWO,)),
    binary("fmin", np.fmin, EXACT, dtypes=FLOATS, more=(_TWO,)),
    OpCase(
        "clip",
        samples=(
            call(real(2, 3), -1, 1),
            call(real(2, 3), real(3, low=-2, high=-1), real(low=1, high=2)),
            call(SPECIAL, -1, 1).noted("special"),
        ),
        reference=np.clip,
        bound=EXACT,
        dtypes=(*FLOATS, "int32"),
        gradient=2,
    ),
    OpCase(
        "select",
        samples=(
            call([truth(2, 3), truth(2, 3)], [real(2, 3), real(2, 3)]),
            call([truth(3)], [real(2, 3)], default=-1.0),
        ),
        reference=_select,
        bound=EXACT,
        gradient=2,
    ),
    binary("divide_no_nan", _no_nan, DIVISION, low=0.5, high=3),
    _test("isnan", np.isnan),
    _test("isinf", np.isinf),
    _test("isfinite", np.isfinite),
    _test("isposinf", lambda x: np.isposinf(x.astype(float))),
    _test("isneginf", lambda x: np.isneginf(x.astype(float))),
    OpCase(
        "nan_to_num",
        samples=(
            call(real(2, 3)),
            call(SPECIAL, nan=1.0, posinf=2.0, neginf=-3.0).noted("special"),
        ),
        reference=np.nan_to_num,
        bound=EXACT,
        dtypes=FLOATS,
        gradient=2,
    ),
)
