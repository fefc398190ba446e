"""How far an array is from the one expected, in several measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from polykeras import dtypes
from polykeras.backend import Array
from polykeras.precision import epsilon_of, largest_in_ulp, powers_below, spacing_at

__all__ = ["VERDICTS", "Bound", "Measure", "Verdict", "judge", "measure", "measures"]

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
BLOCK: Final = 32768
"""Entries that are measured at a time, so that they stay in the cache."""
_MISSED: Final = 1e-3
SUSPICIOUS: Final = 8
"""Up to so many bounds an error is suspicious; beyond, no rounding explains it."""
_SHOWN: Final = 4
_HEAD: Final = 64
"""So many entries mostly tell that an array has other bits."""
_largest: Final = np.maximum.reduce
_sum: Final = np.add.reduce


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
    return measures([found], expected, dtype)[0]


def measures(found: Sequence[Array], expected: Array, dtype: str) -> list[Measure]:
    """Return the errors of several arrays, which is quicker than one by one.

    Args:
        found: The arrays.
        expected: The array that each should be, in 64 bits, of the same shape.
        dtype: The dtype of `found`.
    """
    right = np.asarray(expected).reshape(-1)
    flat = [np.asarray(x).reshape(-1) for x in found]
    sums = [_Sums(dtype, complex_=right.dtype.kind == "c") for _ in flat]
    with np.errstate(all="ignore"):
        for at in range(0, right.size, BLOCK):
            part = slice(at, at + BLOCK)
            block = _Block(right[part])
            for total, entries in zip(sums, flat, strict=True):
                total.add(entries[part], block, at)
    return [total.measure(np.shape(x)) for total, x in zip(sums, found, strict=True)]


@cache
def _facts(dtype: str) -> tuple[Any, float]:
    """Return the NumPy dtype and the distance from 1 to the next number, 0 if none."""
    epsilon = epsilon_of(dtype) if dtypes.is_inexact(dtype) else 0.0
    return dtypes.as_numpy_dtype(dtype), epsilon


class _Block:
    """Some expected entries, and what the measures of all arrays need of them.

    Args:
        values: The entries.
    """

    __slots__ = ("_powers", "ceiling", "signal", "values")

    def __init__(self, values: Array) -> None:
        wide = np.complex128 if values.dtype.kind == "c" else np.float64
        self.values = values = values.astype(wide, copy=False)
        self.signal = float(np.vdot(values, values).real)
        self.ceiling = float(_largest(np.abs(values)))
        self._powers: Array | None = None

    @property
    def powers(self) -> Array:
        """The powers of two below."""
        if self._powers is None:
            values = self.values
            real = values if values.dtype == np.float64 else np.abs(values)
            self._powers = powers_below(real)
        return self._powers


class _Sums:
    """What a measure is made of, block by block.

    Args:
        dtype: The dtype of what was found.
        complex_: Whether the expected numbers are complex.
    """

    def __init__(self, dtype: str, *, complex_: bool) -> None:
        self.dtype = dtype
        self.narrow, self.epsilon = _facts(dtype)
        self.wide = np.complex128 if complex_ else np.float64
        self.identical = True
        self.largest = self.total = self.noise = 0.0
        self.signal = self.crossed = self.ceiling = self.ulp = 0.0
        self.odd: list[int] = []
        self.size = self.nonfinite = 0

    def add(self, found: Array, block: _Block, at: int) -> None:
        """Count a block that starts at the entry `at`."""
        want = block.values
        self.identical = self.identical and self._has_bits(found, want)
        away = found.astype(self.wide)
        away -= want
        error = np.abs(away)
        largest = float(_largest(error))
        if not math.isfinite(largest):
            want, got = self._finite(want, found.astype(self.wide), at)
            block = _Block(want)
            away = got - want
            error = np.abs(away)
            largest = float(_largest(error))
        self.size += error.size
        self.largest = max(self.largest, largest)
        self.ceiling = max(self.ceiling, block.ceiling)
        self.total += float(_sum(error))
        self.noise += float(error.dot(error))
        self.signal += block.signal
        self.crossed += float(np.vdot(want, away).real)
        if largest and self.epsilon:
            self._count_ulp(error, block.powers)

    def _has_bits(self, found: Array, want: Array) -> bool:
        """Return whether entries are the ones expected, rounded."""
        for part in (slice(_HEAD), slice(None)):
            rounded = want[part].astype(self.narrow)
            if rounded.tobytes() != found[part].astype(self.narrow).tobytes():
                return False
        return True

    def _count_ulp(self, error: Array, powers: Array) -> None:
        """Count units of the last place."""
        if self.ulp:
            # Few entries have more units than some have: the others are told quickly.
            more = (error > powers * (self.ulp * self.epsilon)).nonzero()[0]
            if not more.size:
                return
            error, powers = error[more], powers[more]
        self.ulp = max(self.ulp, largest_in_ulp(error, powers, self.dtype))

    def _finite(self, want: Array, got: Array, at: int) -> tuple[Array, Array]:
        """Return a block with 0 for what is not finite, and note where that is odd."""
        usable = np.isfinite(got) & np.isfinite(want)
        same = (got == want) | (np.isnan(got) & np.isnan(want))
        same |= got == want.astype(self.narrow).astype(self.wide)
        odd = np.flatnonzero(~usable & ~same)
        self.nonfinite += odd.size
        self.odd += [at + int(i) for i in odd[: _SHOWN - len(self.odd)]]
        return np.where(usable, want, 0.0), np.where(usable, got, 0.0)

    def measure(self, shape: tuple[int, ...]) -> Measure:
        """Return the measure of all blocks, of an array of a shape."""
        # An entry within half a unit is the right one, rounded; of complex numbers
        # each part is.
        half = 0.5 if self.wide is np.float64 else np.sqrt(0.5)
        ulp = self.ulp if self.ulp > half else 0.0
        if self.nonfinite or (self.largest and not self.epsilon):
            ulp = math.inf
        # want * got and |got|^2 from want * (got - want) and |got - want|^2.
        product = self.signal + self.crossed
        power = max(0.0, self.noise + self.signal + 2 * self.crossed)
        norms = math.sqrt(self.signal) * math.sqrt(power)
        return Measure(
            max_abs=self.largest,
            mean_abs=self.total / self.size if self.size else 0.0,
            max_rel=self._relative(),
            ulp=ulp,
            sqnr=self._sqnr(),
            cosine=product / norms if norms else 1.0,
            identical=self.identical,
            nonfinite=self.nonfinite,
            positions=tuple(
                tuple(int(i) for i in np.unravel_index(at, shape)) for at in self.odd
            ),
            size=self.size,
            ceiling=self.ceiling,
        )

    def _relative(self) -> float:
        if self.ceiling:
            return self.largest / self.ceiling
        return math.inf if self.largest else 0.0

    def _sqnr(self) -> float:
        if not self.noise:
            return math.inf
        ratio = self.signal / self.noise
        return 10 * math.log10(ratio) if ratio else -math.inf


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
        found, expected = found.reshape(-1), expected.reshape(-1)
        self.entries += found.size
        with np.errstate(all="ignore"):
            for at in range(0, found.size, BLOCK):
                got = found[at : at + BLOCK].astype(wide, copy=False)
                want = expected[at : at + BLOCK].astype(wide, copy=False)
                self._widen(got, want)

    def _widen(self, found: Array, expected: Array) -> None:
        difference = found - expected
        difference = np.abs(difference)
        largest = float(difference.max())
        if not np.isfinite(largest):
            finite = np.isfinite(difference)
            same = (found == expected) | (np.isnan(found) & np.isnan(expected))
            self.nonfinite |= bool(np.any(~finite & ~same))
            largest = float(np.max(difference, initial=0.0, where=finite))
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
        stored = spacing_at(ceiling, dtype) if ceiling else 0.0
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
