"""Units of the last place: how fine a dtype is, and how far a result is off."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from polykeras import dtypes
from polykeras.backend import Array

__all__ = [
    "Limits",
    "epsilon_of",
    "errors_in_ulp",
    "largest_in_ulp",
    "limits_of",
    "powers_below",
    "smallest_normal",
    "spacing",
    "spacing_at",
]

_EXPONENT = np.int64(0x7FF0000000000000)
"""The bits of the exponent of a float64."""
_ONE = np.float64(1.0).view(np.int64)
_DIVISIBLE = 1e-150
"""Numbers from this one on may divide each other without leaving float64."""


def epsilon_of(dtype: str) -> float:
    """Return the distance from 1 to the next number of a dtype.

    Args:
        dtype: A floating or complex dtype.

    >>> epsilon_of("bfloat16")
    0.0078125
    """
    return limits_of(dtype).epsilon


def smallest_normal(dtype: str) -> float:
    """Return the smallest positive number of full precision.

    Args:
        dtype: A floating or complex dtype.
    """
    return limits_of(dtype).smallest_normal


class Limits(NamedTuple):
    """What numbers a dtype has.

    Args:
        epsilon: The distance from 1 to the next.
        smallest: The smallest positive one.
        smallest_normal: The smallest positive one of full precision.
        largest: The largest finite one.
    """

    epsilon: float
    smallest: float
    smallest_normal: float
    largest: float


@cache
def limits_of(dtype: str) -> Limits:
    """Return what numbers a dtype has.

    Args:
        dtype: A floating or complex dtype.

    >>> limits_of("float16").largest
    65504.0
    """
    found: Any = ml_dtypes.finfo(dtypes.as_numpy_dtype(dtype))  # type: ignore[no-untyped-call]
    return Limits(
        epsilon=float(found.eps),
        smallest=float(found.smallest_subnormal),
        smallest_normal=float(found.smallest_normal),
        largest=float(found.max),
    )


def spacing_at(value: float, dtype: str) -> float:
    """Return the distance from one number to its neighbour in a dtype.

    Args:
        value: The number; beyond the largest of the dtype, and NaN, stand for that one.
        dtype: A floating or complex dtype.

    >>> spacing_at(1.0, "float32") == 2.0**-23
    True
    """
    limits = limits_of(dtype)
    size = abs(value) if abs(value) <= limits.largest else limits.largest
    return limits.epsilon * _power_below(max(size, limits.smallest_normal))


def spacing(values: Array, dtype: str) -> Array:
    """Return the distance from each number to its neighbour in a dtype.

    Args:
        values: Numbers in float64.
        dtype: A floating or complex dtype.

    >>> float(spacing(np.array(1.0), "float32")) == 2.0**-23
    True
    """
    limits = limits_of(dtype)
    if np.iscomplexobj(values):
        values = np.abs(values)
    power = powers_below(np.asarray(values, float))
    np.maximum(power, limits.smallest_normal, out=power)
    np.minimum(power, _power_below(limits.largest), out=power)
    power *= limits.epsilon
    return power


def largest_in_ulp(errors: Array, powers: Array, dtype: str) -> float:
    """Return the largest of some errors in units of the last place.

    Args:
        errors: Finite numbers in float64, none of them negative and not all 0.
        powers: The `powers_below` the numbers that should be there.
        dtype: A floating or complex dtype.

    >>> largest_in_ulp(np.array([0.75, 5.0]), np.array([1.0, 8.0]), "float16")
    768.0
    """
    low, high, epsilon = _bits_of_ends(dtype)
    if low is None:
        ratios = errors / (spacing(powers, dtype) / epsilon)
        return float(np.maximum.reduce(ratios)) / epsilon
    # Dividing by a power of two subtracts from the exponent, which are the first bits;
    # as integers they are in the order of these numbers. An error that has none is
    # nothing beside the powers of such a dtype.
    bits = np.maximum(powers.view(np.int64), low)
    np.minimum(bits, high, out=bits)
    np.subtract(errors.view(np.int64), bits, out=bits)
    ratio = (np.maximum.reduce(bits) + _ONE).view(np.float64)
    return float(ratio) / epsilon


@cache
def _bits_of_ends(dtype: str) -> tuple[Any, Any, float]:
    """Return the bits, in float64, of a dtype's least and largest power of two.

    They are None where numbers as small have no quotient in float64.
    """
    limits = limits_of(dtype)
    if limits.smallest_normal < _DIVISIBLE:
        return None, None, limits.epsilon
    ends = np.array([limits.smallest_normal, _power_below(limits.largest)])
    return *ends.view(np.int64), limits.epsilon


def powers_below(values: Array) -> Array:
    """Return the power of two below each magnitude, 0 for subnormal numbers and 0.

    Args:
        values: Finite numbers in float64.

    >>> powers_below(np.array([1.5, -7.0]))
    array([1., 4.])
    """
    # What is left of a number without its sign and mantissa.
    bits = np.bitwise_and(values.view(np.int64), _EXPONENT)
    return np.asarray(bits.view(np.float64))


def _power_below(x: float) -> float:
    return float(2.0 ** (math.frexp(x)[1] - 1))


def errors_in_ulp(found: Array, expected: Array, dtype: str, scale: Any = 0.0) -> Array:
    """Return the error of each entry in units of the last place.

    Equal infinities and NaN for NaN have no error; a finite number for an infinite
    one, or any number for NaN, has an infinite one, unless the true value overflows
    the dtype within the unit.

    Args:
        found: Results in the dtype.
        expected: The true values in 64 bits, of the same shape.
        dtype: The dtype of the results.
        scale: Magnitude of terms that cancel, where it is larger than the result.
    """
    if not dtypes.is_inexact(dtype):
        return np.where(np.asarray(found) == np.asarray(expected), 0.0, np.inf)
    wide = np.complex128 if dtypes.is_complex(dtype) else np.float64
    got, want = np.asarray(found).astype(wide), np.asarray(expected).astype(wide)
    narrow = dtypes.as_numpy_dtype(dtype)
    with np.errstate(all="ignore"):
        unit = spacing(np.maximum(np.abs(want), scale), dtype)
        error = np.abs(got - want) / unit
        same = (got == want) | (np.isnan(got) & np.isnan(want))
        same |= got == want.astype(narrow).astype(wide)
    return np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))
