"""The error function and its relatives, out of arithmetic alone.

References:
    Cody, 1969, "Rational Chebyshev Approximations for the Error Function".
    Wichura, 1988, "Algorithm AS 241: The Percentage Points of the Normal
    Distribution" (the function PPND16).

Both have a relative error near 1e-16; in float32 they are evaluated in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

__all__ = ["error_functions"]

# Numerator and denominator, highest order first. erf(x) / x in x**2, |x| <= 0.46875.
_ERF: Final = (
    (
        1.85777706184603153e-1,
        3.16112374387056560e0,
        1.13864154151050156e2,
        3.77485237685302021e2,
        3.20937758913846947e3,
    ),
    (
        1.0,
        2.36012909523441209e1,
        2.44024637934444173e2,
        1.28261652607737228e3,
        2.84423683343917062e3,
    ),
)
# exp(x**2) erfc(x) in x, 0.46875 <= x <= 4.
_ERFC_MIDDLE: Final = (
    (
        2.15311535474403846e-8,
        5.64188496988670089e-1,
        8.88314979438837594e0,
        6.61191906371416295e1,
        2.98635138197400131e2,
        8.81952221241769090e2,
        1.71204761263407058e3,
        2.05107837782607147e3,
        1.23033935479799725e3,
    ),
    (
        1.0,
        1.57449261107098347e1,
        1.17693950891312499e2,
        5.37181101862009858e2,
        1.62138957456669019e3,
        3.29079923573345963e3,
        4.36261909014324716e3,
        3.43936767414372164e3,
        1.23033935480374942e3,
    ),
)
# x**2 (1 / sqrt(pi) - x exp(x**2) erfc(x)) in 1 / x**2, x >= 4.
_ERFC_TAIL: Final = (
    (
        1.63153871373020978e-2,
        3.05326634961232344e-1,
        3.60344899949804439e-1,
        1.25781726111229246e-1,
        1.60837851487422766e-2,
        6.58749161529837803e-4,
    ),
    (
        1.0,
        2.56852019228982242e0,
        1.87295284992346725e0,
        5.27905102951428412e-1,
        6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)
# The normal quantile at p = 1/2 + q: divided by q, in 0.425**2 - q**2, |q| <= 0.425.
_QUANTILE_CENTRE: Final = (
    (
        2.5090809287301226727e3,
        3.3430575583588128105e4,
        6.7265770927008700853e4,
        4.5921953931549871457e4,
        1.3731693765509461125e4,
        1.9715909503065514427e3,
        1.3314166789178437745e2,
        3.3871328727963666080e0,
    ),
    (
        5.2264952788528545610e3,
        2.8729085735721942674e4,
        3.9307895800092710610e4,
        2.1213794301586595867e4,
        5.3941960214247511077e3,
        6.8718700749205790830e2,
        4.2313330701600911252e1,
        1.0,
    ),
)
# In r - 1.6 with r = sqrt(-log(min(p, 1 - p))), r <= 5.
_QUANTILE_MIDDLE: Final = (
    (
        7.74545014278341407640e-4,
        2.27238449892691845833e-2,
        2.41780725177450611770e-1,
        1.27045825245236838258e0,
        3.64784832476320460504e0,
        5.76949722146069140550e0,
        4.63033784615654529590e0,
        1.42343711074968357734e0,
    ),
    (
        1.05075007164441684324e-9,
        5.47593808499534494600e-4,
        1.51986665636164571966e-2,
        1.48103976427480074590e-1,
        6.89767334985100004550e-1,
        1.67638483018380384940e0,
        2.05319162663775882187e0,
        1.0,
    ),
)
# In r - 5, r > 5.
_QUANTILE_TAIL: Final = (
    (
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        1.24266094738807843860e-3,
        2.65321895265761230930e-2,
        2.96560571828504891230e-1,
        1.78482653991729133580e0,
        5.46378491116411436990e0,
        6.65790464350110377720e0,
    ),
    (
        2.04426310338993978564e-15,
        1.42151175831644588870e-7,
        1.84631831751005468180e-5,
        7.86869131145613259100e-4,
        1.48753612908506148525e-2,
        1.36929880922735805310e-1,
        5.99832206555887937690e-1,
        1.0,
    ),
)

_CENTRE: Final = 0.46875
_LAST: Final = 28.0  # erfc is zero in float64 beyond 27.3


def error_functions(xp: Any) -> tuple[Callable[[Any], Any], ...]:
    """Return erf, erfc and erfinv for float32 and float64 arrays of a namespace.

    Args:
        xp: A namespace of the array API standard.
    """

    def polynomial(x: Any, coefficients: Sequence[float]) -> Any:
        total = x * coefficients[0]
        for c in coefficients[1:-1]:
            total = (total + c) * x
        return total + coefficients[-1]

    def ratio(x: Any, parts: tuple[Sequence[float], Sequence[float]]) -> Any:
        return polynomial(x, parts[0]) / polynomial(x, parts[1])

    def centre(x: Any) -> Any:
        inside = xp.where(xp.abs(x) <= _CENTRE, x, xp.zeros_like(x))
        return inside * ratio(inside * inside, _ERF)

    def outer(size: Any) -> Any:
        """Return erfc of values of at least ``_CENTRE``."""
        limit = xp.full_like(size, 4.0)
        y = xp.where(size < 4.0, size, limit)
        y = xp.where(y > _CENTRE, y, xp.full_like(size, _CENTRE))
        middle = ratio(y, _ERFC_MIDDLE)
        z = xp.where(size > 4.0, size, limit)
        z = xp.where(z < _LAST, z, xp.full_like(size, _LAST))
        w = 1.0 / (z * z)
        far = (1.0 / math.sqrt(math.pi) - w * ratio(w, _ERFC_TAIL)) / z
        scaled = xp.where(size <= 4.0, middle, far)
        # exp(-size**2) with the square split in two, for its rounding error would
        # be multiplied by the size of the exponent.
        kept = xp.where(size < _LAST, size, xp.full_like(size, _LAST))
        rough = xp.floor(kept * 16.0) / 16.0
        rest = (kept - rough) * (kept + rough)
        return xp.exp(-rough * rough) * xp.exp(-rest) * scaled

    def erf(x: Any) -> Any:
        size = xp.abs(x)
        far = 1.0 - outer(size)
        far = xp.where(x < 0, -far, far)
        result = xp.where(size <= _CENTRE, centre(x), far)
        return xp.where(xp.isnan(x), x, result)

    def erfc(x: Any) -> Any:
        size = xp.abs(x)
        far = outer(size)
        far = xp.where(x < 0, 2.0 - far, far)
        result = xp.where(size <= _CENTRE, 1.0 - centre(x), far)
        return xp.where(xp.isnan(x), x, result)

    def erfinv(x: Any) -> Any:
        size = xp.abs(x)
        one, zero = xp.ones_like(x), xp.zeros_like(x)
        q = x * 0.5
        near = size <= 0.85
        inner = xp.where(near, q, zero)
        central = inner * ratio(0.180625 - inner * inner, _QUANTILE_CENTRE)
        tail = xp.where(near | (size >= 1.0), 0.25 * one, (1.0 - size) * 0.5)
        r = xp.sqrt(-xp.log(tail))
        far = r > 5.0
        middle = ratio(xp.where(far, 5.0 * one, r) - 1.6, _QUANTILE_MIDDLE)
        outermost = ratio(xp.where(far, r, 5.0 * one) - 5.0, _QUANTILE_TAIL)
        quantile = xp.where(far, outermost, middle)
        quantile = xp.where(x < 0, -quantile, quantile)
        result = xp.where(near, central, quantile) * math.sqrt(0.5)
        edge = xp.where(x < 0, -math.inf * one, math.inf * one)
        result = xp.where(size == 1.0, edge, result)
        return xp.where(size <= 1.0, result, math.nan * one)

    return erf, erfc, erfinv
