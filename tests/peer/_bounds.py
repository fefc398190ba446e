"""How far an answer may be from the recorded one.

Each operation rounds its result by half a unit, and by what its operands were off
already; a chain of n operations, sums counted by their length, errs by at most about
``n * eps`` times the largest number. The gradient of a weighted sum of m outputs runs
the chain forth and back, and adds m numbers. In 64 bits Keras errs, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.peer._case import Case

__all__ = ["excess"]


def excess(
    case: Case, key: str, found: Any, wanted: Any, precision: str, outputs: int = 64
) -> float:
    """Return the largest difference in units of its bound: 1 or less is rounding."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    if found.shape != wanted.shape:
        return np.inf
    if wanted.size == 0:
        return 0.0
    kinds = "fc"
    if found.dtype.kind not in kinds:
        return 0.0 if np.array_equal(found, wanted) else np.inf
    if not np.array_equal(np.isfinite(found), np.isfinite(wanted)):
        return np.inf
    usual = np.isfinite(wanted)
    if not np.array_equal(found[~usual], wanted[~usual], equal_nan=True):
        return np.inf
    if not usual.any():
        return 0.0
    difference = np.abs(found[usual] - wanted[usual]).max()
    if case.atol is not None:
        return float(difference) / case.atol
    roundings = case.roundings
    if key.startswith("g"):
        roundings = 2 * roundings + outputs
    eps = np.finfo(precision).eps * (1 if precision == "float32" else 2)
    scale = max(1.0, float(np.abs(wanted[usual]).max()))
    return float(difference) / (eps * roundings * scale)
