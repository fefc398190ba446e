"""Measures of errors, by the block and several at once."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from polykeras import dtypes
from polykeras.compare._judging import judged, judged_together
from polykeras.compare._measures import BLOCK, Bound, measure, measures
from polykeras.precision import largest_in_ulp, limits_of, powers_below, spacing

DTYPES = ("float64", "float32", "float16", "bfloat16")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", ["1", "smallest", "normal", "largest", "beyond"])
def test_errors_are_counted_in_units_by_their_bits(dtype, size):
    limits = limits_of(dtype)
    scale = {
        "1": 1.0,
        "smallest": limits.smallest,
        "normal": limits.smallest_normal,
        "largest": limits.largest,
        "beyond": 4 * limits.largest if limits.largest < 1e300 else limits.largest,
    }[size]
    rng = np.random.default_rng(0)
    want = rng.uniform(-1, 1, 1000) * scale
    want[::7] = 0
    for share in (1e-9, 1e-3, 1.0):
        errors = np.abs(rng.normal(size=want.size)) * share * (scale / 8)
        errors[::3] = 0
        # Where 0 is expected, the units of float64 are as small as its numbers.
        with np.errstate(over="ignore"):
            expected = np.max(errors / spacing(want, dtype))
            found = largest_in_ulp(errors, powers_below(want), dtype)
        # Dividing by a power of two is exact.
        assert found == expected


@pytest.mark.parametrize("dtype", [*DTYPES, "complex64", "int32"])
def test_several_arrays_have_the_measures_that_each_has(dtype):
    rng = np.random.default_rng(1)
    want = rng.normal(size=(3, BLOCK)) * 100
    if dtype == "complex64":
        want = want * (1 + 2j)
    native = dtypes.as_numpy_dtype(dtype)
    right = want.astype(native)
    off = (want * (1 + 1e-3 * rng.normal(size=want.shape))).astype(native)
    found = [right, off, right[::-1]]
    if dtype != "int32":
        odd = off.copy()
        odd[1, 5] = np.nan
        found.append(odd)
    want = want if dtype != "int32" else np.trunc(want)
    together = measures(found, want, dtype)
    assert [m.identical for m in together[:2]] == [True, False]
    for one, x in zip(together, found, strict=True):
        assert asdict(one) == asdict(measure(x, want, dtype))
        assert one.nonfinite == np.count_nonzero(~np.isfinite(x))


def test_an_entry_that_differs_behind_the_first_is_no_identity():
    want = np.zeros(2 * BLOCK)
    for at in (0, 63, 64, BLOCK - 1, BLOCK, 2 * BLOCK - 1):
        found = np.zeros(2 * BLOCK, "float32")
        found[at] = -0.0
        assert not measure(found, want, "float32").identical
        found[at] = 0.0
        assert measure(found, want, "float32").identical


def test_arrays_of_another_shape_are_wrong_and_others_judged_by_their_own_bound():
    want = np.ones(4)
    tight, wide = Bound(), Bound()
    tight.widen(np.full(4, 1.0001), want)
    wide.widen(np.full(4, 1.1), want)
    near, odd = np.full(4, 1.05), np.ones(3)
    found = judged_together([near, odd, near], want, "float64", [tight, wide, wide])
    assert [j.verdict for j in found] == ["wrong", "wrong", "rounding"]
    assert "shape is (3,), expected (4,)" in found[1].why
    assert found[2] == judged(near, want, "float64", wide)
