"""An error with its bound and what follows from both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from polykeras.backend import Array
from polykeras.compare._measures import (
    VERDICTS,
    Bound,
    Measure,
    Verdict,
    judge,
    measure,
    measures,
)

__all__ = [
    "FURTHER_REPLICAS",
    "LAYER_REPLICAS",
    "REPLICAS",
    "Judged",
    "judged",
    "judged_together",
    "misshapen",
    "reconsidered",
]

REPLICAS: Final = 2
"""How many perturbed references make a bound of scalars, such as losses."""
LAYER_REPLICAS: Final = 1
"""How many make one of the outputs of layers, whose entries are many."""
FURTHER_REPLICAS: Final = 6
"""How many more are asked where a training step is beyond the bound. A rectifier whose
input rounds to the other side of 0 changes gradients at once: each perturbed reference
does so with a probability of about a half, so that one or two may miss it."""
_WHY: Final = "4 times the largest error of perturbed references, and a ULP"
_WHY_REACH: Final = f"{_WHY}, and how far right gradients move the entry"


@dataclass(frozen=True)
class Judged:
    """An error with its bound and verdict.

    Args:
        error: The error.
        bound: The largest one that is rounding.
        verdict: What it is.
        why: Where the bound comes from.
    """

    error: Measure
    bound: float
    verdict: Verdict
    why: str = _WHY

    @property
    def rank(self) -> tuple[int, float]:
        """What makes it worse than another."""
        share = self.error.max_abs / self.bound if self.bound else 0.0
        return VERDICTS.index(self.verdict), share

    @property
    def bad(self) -> bool:
        """Whether rounding does not explain it."""
        return self.verdict in ("suspicious", "wrong")


def judged(
    found: Array, want: Array, dtype: str, bound: Bound, ceiling: float = 0.0
) -> Judged:
    """Measure the error of `found` and judge it.

    Args:
        found: An array.
        want: What the reference gave.
        dtype: The dtype of `found`.
        bound: The rounding to expect.
        ceiling: The largest magnitude that is stored, if it is not in `want`.
    """
    return judged_together([found], want, dtype, [bound], ceiling)[0]


def judged_together(
    found: Sequence[Array],
    want: Array,
    dtype: str,
    bounds: Sequence[Bound],
    ceiling: float = 0.0,
) -> list[Judged]:
    """Do as `judged` for several arrays, each with its bound, which is quicker."""
    fitting = [x for x in found if x.shape == want.shape]
    errors = iter(measures(fitting, want, dtype))
    result = []
    for x, bound in zip(found, bounds, strict=True):
        if x.shape != want.shape:
            result.append(misshapen(x, want))
            continue
        error = next(errors)
        allowed = bound.allowed(max(error.ceiling, ceiling), dtype)
        verdict = judge(error, allowed, overflows=bound.nonfinite)
        result.append(Judged(error, allowed, verdict))
    return result


def reconsidered(found: Judged, value: Array, want: Array, reach: Array) -> Judged:
    """Judge an error whose bound is larger at some entries.

    Args:
        found: What it is by the bound of all entries.
        value: The array.
        want: What the reference gave.
        reach: How much larger the bound of each entry is.
    """
    if value.shape != want.shape or found.error.nonfinite:
        return found
    over = np.abs(value - want) > found.bound
    worst = np.argmax(np.where(over, np.abs(value - want) - reach, -np.inf))
    explained = np.all(np.abs(value - want)[over] <= found.bound + reach[over])
    extra = np.max(reach[over]) if explained else reach.reshape(-1)[worst]
    bound = found.bound + float(extra)
    return Judged(found.error, bound, judge(found.error, bound), _WHY_REACH)


def misshapen(found: Array, want: Array) -> Judged:
    """Judge an array of a wrong shape, whose error cannot be measured."""
    nothing = measure(np.zeros(()), np.full((), np.nan), "float64")
    why = f"its shape is {found.shape}, expected {want.shape}"
    return Judged(nothing, 0.0, "wrong", why)
