"""Cases of `polykeras.ops.special`."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import scipy.special

from polykeras.conformance._bounds import EXACT, composed, elementary
from polykeras.conformance._case import FLOATS, OpCase
from polykeras.conformance._samples import call, given
from polykeras.conformance.cases._builders import SPECIAL, unary

__all__ = ["CASES"]

# SciPy's own loses digits in the far tail; the C library's does not.
_erfc: Final = np.vectorize(math.erfc, otypes=[float])
_CLOSE: Final = (
    call(given([1.0, 1.0, 2.0]), given([1.0 + 1e-6, 1.1, 2.0])),
    call(given([1.0, 1.0]), given([1.05, 1.2]), rtol=0.1),
    call(SPECIAL, SPECIAL, equal_nan=True).noted("special"),
)


def _all_close(x1: Any, x2: Any, **how: Any) -> Any:
    return np.asarray(np.allclose(x1, x2, **how))


CASES: Final = (
    unary("erf", scipy.special.erf, elementary(4)),
    unary("erfc", _erfc, elementary(8)),
    unary(
        "erfinv", scipy.special.erfinv, elementary(8), low=-0.9, high=0.9, dtypes=FLOATS
    ),
    unary(
        "sinc",
        np.sinc,
        composed(16, "pi x, its sine and a division, near zeros of the sine"),
        low=0.2,
        high=0.9,
        dtypes=FLOATS,
        elementwise=False,
    ),
    unary("i0", scipy.special.i0, elementary(8), gradient=1),
    OpCase("isclose", _CLOSE, np.isclose, EXACT, ("float32", "float64"), "bool"),
    OpCase("allclose", _CLOSE, _all_close, EXACT, ("float32", "float64"), "bool"),
)
