"""How far a result may be from the true value, and how far it is.

Errors are measured in units of the last place (ULP): the distance between
neighbouring numbers of the result's dtype at the true value, or, where terms cancel,
at the magnitude of the terms. A bound states how many, and why:

- `EXACT`: the result is one of the inputs, a count, a comparison: 0 ULP.
- `ROUNDED`: IEEE 754 rounds the true value once: 1/2 ULP; 1 where flags of a compiler
  may contract two operations into one.
- `elementary`: functions of a mathematical library. No library rounds correctly; 4 ULP
  is what the OpenCL specification (version 3.0, table 10) asks of exp, log and most
  others in float32, and what vendors meet.
- `summed`: a sum of n terms in any order errs by at most (n - 1) u sum(|x|) to first
  order, u = 1/2 ULP (Higham, 2002, "Accuracy and Stability of Numerical Algorithms",
  equation 4.4); a sum of n products by n u sum(|x y|) (equation 3.5).
- `composed`: k roundings one after another, each of which is amplified by at most
  the stated condition number.

Half-precision results may be computed in float32 and rounded once, or in the dtype
itself; the bounds hold for both, since they count the dtype's own roundings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from polykeras import dtypes
from polykeras.precision import epsilon_of, errors_in_ulp, spacing

__all__ = [
    "EXACT",
    "ROUNDED",
    "Bound",
    "composed",
    "elementary",
    "errors_in_ulp",
    "spacing",
    "summed",
]


@dataclass(frozen=True)
class Bound:
    """A bound on the error of an op.

    Args:
        ulp: Allowed error in units of the last place.
        why: Where the number comes from, for the report.
        scale: Magnitude of the terms whose sum is the result, as a function of the
            reference's arguments; the unit is taken there, where it is larger.
        low: Allowed error of dtypes below 32 bits, where it differs.
    """

    ulp: float
    why: str
    scale: Callable[..., Any] | None = None
    low: float | None = None

    def of(self, dtype: str) -> float:
        """Return the number of ULP allowed in a dtype.

        A reference in float64 is itself rounded, so results of 64 bits get one more.
        """
        if not self.ulp or not dtypes.is_inexact(dtype):
            return 0.0
        if epsilon_of(dtype) > epsilon_of("float32"):
            return self.ulp if self.low is None else self.low
        return self.ulp + (1.0 if epsilon_of(dtype) < epsilon_of("float32") else 0.0)


EXACT: Final = Bound(0, "the result is one of the inputs, a count or a truth")
ROUNDED: Final = Bound(1, "one operation of IEEE 754, possibly contracted")


def elementary(ulp: float = 4, why: str = "", **more: Any) -> Bound:
    """Bound a function of a mathematical library.

    Args:
        ulp: The allowed error.
        why: Where the number comes from; by default the OpenCL table.
        more: `scale` and `low` of `Bound`.
    """
    return Bound(ulp, why or f"a library function of {ulp:g} ULP", **more)


def summed(terms: int, scale: Callable[..., Any], **more: Any) -> Bound:
    """Bound a sum of products or numbers in any order.

    Args:
        terms: The length of the longest sum in the samples.
        scale: The sum of magnitudes, as a function of the reference's arguments.
        more: `low` of `Bound`.
    """
    # n roundings of half a unit each, and one to store the result.
    return Bound((terms + 1) / 2, f"a sum of {terms} terms in any order", scale, **more)


def composed(ulp: float, why: str, **more: Any) -> Bound:
    """Bound a composition of several operations.

    Args:
        ulp: The allowed error.
        why: The roundings that were counted.
        more: `scale` and `low` of `Bound`.
    """
    return Bound(ulp, why, **more)
