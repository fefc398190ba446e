"""How far an array is from the one expected, in several measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from polykeras import dtypes
from polykeras.backend import Array
from polykeras.precision import errors_in_ulp, spacing

__all__ = ["VERDICTS", "Bound", "Measure", "Verdict", "judge", "measure"]

Verdict: TypeAlias = Literal[
    "identical bits", "rounding", "suspicious", "wrong", "not comparable"
]
VERDICTS: Final[tuple[Verdict, ...]] = (
    "identical bits",
    "rounding",
    "suspicious",
    "wrong",
    "not comparable",
)
"""From best to worst; what could not be compared is no inconsistency."""

SPREADS: Final = 4
"""The bound is so many times the largest error of the perturbed references: the
lambda of Higham and Mary's theorem, which fails with probability 2 exp(-lambda^2/2)
or 7e-4 an entry, for errors that already have the largest size allowed."""
_MISSED: Final = 1e-3
SUSPICIOUS: Final = 8
"""Up to so many bounds an error is suspicious; beyond, no rounding explains it."""
_SHOWN: Final = 4


@dataclass(frozen=True)
class Measure:
    """The error of one array.

    Args:
        max_abs: Largest absolute error.
        mean_abs: Mean absolute error.
        max_rel: Largest error relative to the largest magnitude expected.
        ulp: Largest error in units of the last place of each entry.
        sqnr: Signal to quantization noise ratio in decibels; inf without error.
        cosine: Cosine of the angle between both arrays.
        identical: Whether it has the bits of the expected array in its dtype.
        nonfinite: Number of entries that are NaN or infinite in one array only.
        positions: The first of them.
        size: Number of entries.
        ceiling: Largest magnitude expected.
    """

    max_abs: float
    mean_abs: float
    max_rel: float
    ulp: float
    sqnr: float
    cosine: float
    identical: bool
    nonfinite: int = 0
    positions: tuple[tuple[int, ...], ...] = ()
    size: int = 0
    ceiling: float = 0.0


def measure(found: Array, expected: Array, dtype: str) -> Measure:
    """Return the error of `found`.

    Args:
        found: An array.
        expected: The array that it should be, in 64 bits, of the same shape.
        dtype: The dtype of `found`.

    >>> m = measure(np.array([1.0, 2.5]), np.array([1.0, 2.0]), "float64")
    >>> m.max_abs, m.max_rel, m.identical
    (0.5, 0.25, False)
    """
    narrow = dtypes.as_numpy_dtype(dtype)
    wide = np.complex128 if np.iscomplexobj(expected) else np.float64
    with np.errstate(all="ignore"):
        rounded = np.asarray(expected).astype(narrow)
        identical = np.asarray(found, narrow).tobytes() == rounded.tobytes()
        got, want = np.asarray(found).astype(wide), np.asarray(expected).astype(wide)
        odd = np.zeros((), bool)
        ulps = np.zeros(())
        if not identical:
            ulps = errors_in_ulp(found, expected, dtype)
        if not (np.all(np.isfinite(got)) and np.all(np.isfinite(want))):
            usable = np.isfinite(got) & np.isfinite(want)
            same = (got == want) | (np.isnan(got) & np.isnan(want))
            odd = ~usable & ~(same | (got == rounded.astype(wide)))
            want, got = np.where(usable, want, 0.0), np.where(usable, got, 0.0)
        error = np.abs(got - want)
        flat = want.reshape(-1)
        signal = float(np.vdot(flat, flat).real)
        noise = float(np.vdot(error, error))
        norms = np.sqrt(signal) * np.linalg.norm(got.reshape(-1))
        ceiling = float(np.max(np.abs(want), initial=0.0))
        largest = float(np.max(error, initial=0.0))
        sqnr = 10 * float(np.log10(signal / noise)) if noise else np.inf
    return Measure(
        max_abs=largest,
        mean_abs=float(np.mean(error)) if error.size else 0.0,
        max_rel=largest / ceiling if ceiling else (0.0 if not largest else np.inf),
        ulp=float(np.max(ulps, initial=0.0)),
        sqnr=sqnr,
        cosine=float(np.vdot(flat, got).real / norms) if norms else 1.0,
        identical=identical,
        nonfinite=int(np.sum(odd)),
        positions=tuple(tuple(int(i) for i in at) for at in np.argwhere(odd)[:_SHOWN]),
        size=int(error.size),
        ceiling=ceiling,
    )


@dataclass
class Bound:
    """The rounding to expect of one array: the largest error of perturbed references.

    Args:
        spread: That error.
        nonfinite: Whether some entries became infinite or NaN.
        entries: How many errors it is the largest of.
    """

    spread: float = 0.0
    nonfinite: bool = False
    entries: int = 0

    def widen(self, found: Array, expected: Array) -> None:
        """Count one more perturbed reference.

        Args:
            found: Its array.
            expected: That of the reference.
        """
        wide = np.complex128 if np.iscomplexobj(expected) else np.float64
        found, expected = found.astype(wide), expected.astype(wide)
        with np.errstate(all="ignore"):
            difference = np.abs(found - expected)
            largest = float(np.max(difference, initial=0.0))
            if not np.isfinite(largest):
                finite = np.isfinite(difference)
                same = (found == expected) | (np.isnan(found) & np.isnan(expected))
                self.nonfinite |= bool(np.any(~finite & ~same))
                largest = float(np.max(difference, initial=0.0, where=finite))
        self.entries += difference.size
        self.spread = max(self.spread, largest)

    def allowed(self, ceiling: float, dtype: str) -> float:
        """Return the largest error that is rounding.

        Args:
            ceiling: The largest magnitude expected.
            dtype: In which the result is stored, which rounds once more.
        """
        if not dtypes.is_inexact(dtype):
            return self.spread
        # Few errors may all be small by chance: the largest of m independent ones is
        # below 1/c of another of their size with a probability of about c^-m.
        few = _MISSED ** (-1 / self.entries) if self.entries else 0.0
        stored = float(spacing(np.asarray(ceiling), dtype)) if ceiling else 0.0
        return max(SPREADS, few) * self.spread + stored


def judge(error: Measure, allowed: float, *, overflows: bool = False) -> Verdict:
    """Return the verdict on an error.

    Args:
        error: The error.
        allowed: What rounding explains.
        overflows: Whether rounding alone makes entries infinite or NaN.
    """
    if error.identical:
        return "identical bits"
    if error.nonfinite and not overflows:
        return "wrong"
    if error.max_abs <= allowed:
        return "rounding"
    return "suspicious" if error.max_abs <= SUSPICIOUS * allowed else "wrong"
