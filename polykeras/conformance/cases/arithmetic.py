"""Cases of `polykeras.ops.arithmetic`."""

from __future__ import annotations

from typing import Final

import numpy as np

from polykeras.conformance._bounds import EXACT, ROUNDED, Bound
from polykeras.conformance._case import FLOATS, NUMBERS
from polykeras.conformance._samples import call
from polykeras.conformance.cases._builders import SPECIAL, alias, binary, unary

__all__ = ["CASES", "DIVISION"]

_LIMITS: Final = call(SPECIAL, SPECIAL).noted("special")
DIVISION: Final = Bound(
    1,
    "one division of IEEE 754; in half precision a reciprocal and a product: 1.5 ULP",
    low=1.5,
)
_DIVIDE: Final = binary("divide", np.divide, DIVISION, low=0.5, high=3, more=(_LIMITS,))


def _negative(x: np.ndarray) -> np.ndarray:
    return -x


CASES: Final = (
    binary("add", np.add, ROUNDED, dtypes=NUMBERS, more=(_LIMITS,)),
    binary("subtract", np.subtract, ROUNDED, dtypes=(*FLOATS, "int32", "int8")),
    binary("multiply", np.multiply, ROUNDED, dtypes=NUMBERS, more=(_LIMITS,)),
    _DIVIDE,
    alias(_DIVIDE, "true_divide"),
    unary("negative", _negative, EXACT, dtypes=(*FLOATS, "int32", "int8"), result=None),
    unary("square", np.square, ROUNDED, dtypes=NUMBERS, result=None),
    unary("reciprocal", np.reciprocal, ROUNDED, low=0.5, high=3, dtypes=FLOATS),
)
