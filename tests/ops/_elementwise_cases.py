"""What the tests of elementwise ops run: one row an op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.special as sp

__all__ = ["BINARY", "UNARY", "Case"]


class Case(NamedTuple):
    """An op with its float64 reference and where to evaluate it.

    Args:
        op: The name in `polykeras.ops`.
        reference: A function of float64 arrays.
        low, high: The interval of the sample.
        ulp: Allowed error in float32 on every backend.
        smooth: Whether derivatives can be compared with differences there.
        order: To which order.
        tolerance: Of the derivative.
    """

    op: str
    reference: Callable[..., Any]
    low: float = -2.0
    high: float = 2.0
    ulp: float = 4
    smooth: bool = True
    order: int = 2
    tolerance: float = 1e-7


def _sign(x: Any) -> Any:
    return np.sign(x)


UNARY = [
    Case("abs", np.abs),
    Case("absolute", np.abs),
    Case("fabs", np.abs),
    Case("negative", np.negative),
    Case("square", np.square),
    Case("reciprocal", np.reciprocal, 0.5, 3),
    Case("sign", _sign),
    Case("floor", np.floor),
    Case("ceil", np.ceil),
    Case("trunc", np.trunc),
    Case("round", np.round),
    Case("exp", np.exp),
    Case("expm1", np.expm1, ulp=8),
    Case("exp2", np.exp2),
    Case("log", np.log, 0.5, 4),
    Case("log1p", np.log1p, -0.4, 4, ulp=6),
    Case("log2", np.log2, 0.5, 4, ulp=6),
    Case("log10", np.log10, 0.5, 4, ulp=6),
    Case("sqrt", np.sqrt, 0.5, 4),
    Case("rsqrt", lambda x: 1 / np.sqrt(x), 0.5, 4),
    Case("cbrt", np.cbrt, 0.5, 4),
    Case("sin", np.sin),
    Case("cos", np.cos),
    Case("tan", np.tan, -1.2, 1.2, ulp=6),
    Case("arcsin", np.arcsin, -0.8, 0.8, ulp=6),
    Case("arccos", np.arccos, -0.8, 0.8, ulp=6),
    Case("arctan", np.arctan),
    Case("sinh", np.sinh, ulp=8),
    Case("cosh", np.cosh),
    Case("tanh", np.tanh, ulp=8),
    Case("arcsinh", np.arcsinh, ulp=8),
    Case("arccosh", np.arccosh, 1.5, 4, ulp=8),
    Case("arctanh", np.arctanh, -0.8, 0.8, ulp=8),
    Case("erf", sp.erf),
    Case("erfc", sp.erfc, ulp=8),
    Case("erfinv", sp.erfinv, -0.9, 0.9, ulp=8),
    Case("i0", sp.i0, ulp=8),
    Case("sinc", np.sinc, 0.2, 0.9, ulp=16),
    Case("deg2rad", np.deg2rad),
    Case("rad2deg", np.rad2deg),
    Case("real", np.real),
    Case("imag", np.zeros_like),
    Case("conj", np.conj),
    Case("conjugate", np.conj),
    Case("angle", np.angle),
    Case("nan_to_num", np.nan_to_num),
    Case("isnan", np.isnan, smooth=False),
    Case("isinf", np.isinf, smooth=False),
    Case("isfinite", np.isfinite, smooth=False),
    Case("isposinf", np.isposinf, smooth=False),
    Case("isneginf", np.isneginf, smooth=False),
    Case("isreal", np.isreal, smooth=False),
    Case("signbit", np.signbit, smooth=False),
    Case("logical_not", np.logical_not, smooth=False),
]

BINARY = [
    Case("add", np.add),
    Case("subtract", np.subtract),
    Case("multiply", np.multiply),
    Case("divide", np.divide, 0.5, 3),
    Case("true_divide", np.divide, 0.5, 3),
    Case("divide_no_nan", np.divide, 0.5, 3),
    Case("floor_divide", np.floor_divide, 0.5, 3),
    Case("mod", np.remainder, 0.5, 3),
    Case("fmod", np.fmod, 0.5, 3),
    Case("power", np.power, 0.5, 3),
    Case("maximum", np.maximum),
    Case("minimum", np.minimum),
    Case("fmax", np.fmax),
    Case("fmin", np.fmin),
    Case("arctan2", np.arctan2),
    Case("hypot", np.hypot),
    Case("logaddexp", np.logaddexp, ulp=6),
    Case("logaddexp2", np.logaddexp2, ulp=6),
    Case("heaviside", np.heaviside),
    Case("equal", np.equal, smooth=False),
    Case("not_equal", np.not_equal, smooth=False),
    Case("less", np.less, smooth=False),
    Case("less_equal", np.less_equal, smooth=False),
    Case("greater", np.greater, smooth=False),
    Case("greater_equal", np.greater_equal, smooth=False),
    Case("isclose", np.isclose, smooth=False),
    Case("logical_and", np.logical_and, smooth=False),
    Case("logical_or", np.logical_or, smooth=False),
    Case("logical_xor", np.logical_xor, smooth=False),
]
