"""Cases of `polykeras.ops.trigonometry`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import composed, elementary
from polykeras.conformance._case import FLOATS
from polykeras.conformance.cases._builders import binary, unary

__all__ = ["CASES"]

_INSIDE: Final[dict[str, Any]] = {"low": -0.8, "high": 0.8}

CASES: Final = (
    unary("sin", np.sin, elementary()),
    unary("cos", np.cos, elementary()),
    unary("tan", np.tan, elementary(6), low=-1.2, high=1.2),
    unary("arcsin", np.arcsin, elementary(6), dtypes=FLOATS, **_INSIDE),
    unary("arccos", np.arccos, elementary(6), dtypes=FLOATS, **_INSIDE),
    unary("arctan", np.arctan, elementary()),
    unary("sinh", np.sinh, elementary(8)),
    unary("cosh", np.cosh, elementary()),
    unary("tanh", np.tanh, elementary(8)),
    unary("arcsinh", np.arcsinh, elementary(8)),
    unary("arccosh", np.arccosh, elementary(8), dtypes=FLOATS, low=1.5, high=4),
    unary("arctanh", np.arctanh, elementary(8), dtypes=FLOATS, **_INSIDE),
    binary("arctan2", np.arctan2, elementary(6)),
    unary("deg2rad", np.deg2rad, composed(2, "a constant and a product")),
    unary("rad2deg", np.rad2deg, composed(2, "a constant and a product")),
)
