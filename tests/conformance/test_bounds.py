import ml_dtypes
import numpy as np
import pytest

from polykeras.conformance import Bound, errors_in_ulp, spacing, summed


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_spacing_is_that_of_numpy(dtype) -> None:
    values = np.array([1e-30, 0.3, 1.0, 1.5, 2.0, 1e20])
    np.testing.assert_array_equal(
        spacing(values, dtype), np.spacing(values.astype(dtype)).astype(float)
    )


def test_neighbours_are_one_ulp_apart() -> None:
    x = np.float32(3.7)
    errors = errors_in_ulp(np.nextafter(x, np.float32(9)), np.float64(x), "float32")
    assert errors == 1


def test_bfloat16_has_units_of_its_own() -> None:
    x = np.array(1.0, ml_dtypes.bfloat16)
    assert errors_in_ulp(x, np.array(1 + 2**-7), "bfloat16") == 1


def test_special_values_equal_only_themselves() -> None:
    found = np.array([np.nan, np.inf, -np.inf, 1.0, np.inf], np.float32)
    wanted = np.array([np.nan, np.inf, np.inf, np.nan, 1.0])
    errors = errors_in_ulp(found, wanted, "float32")
    assert list(errors) == [0, 0, np.inf, np.inf, np.inf]


def test_overflow_of_the_dtype_is_no_error() -> None:
    assert errors_in_ulp(np.float16(np.inf), np.float64(1e6), "float16") == 0


def test_integers_are_equal_or_wrong() -> None:
    errors = errors_in_ulp(np.array([1, 2]), np.array([1, 3]), "int32")
    assert list(errors) == [0, np.inf]


def test_a_scale_widens_the_unit_where_terms_cancel() -> None:
    found, wanted = np.float32(2**-20), np.float64(0)
    assert errors_in_ulp(found, wanted, "float32") > 1e6
    assert errors_in_ulp(found, wanted, "float32", scale=8.0) == 1


def test_bounds_of_sums_grow_with_their_length() -> None:
    short, long = (summed(n, scale=np.abs).of("float32") for n in (4, 400))
    assert long > 50 * short


def test_float64_allows_for_the_rounding_of_its_reference() -> None:
    bound = Bound(2, "two roundings", low=3)
    assert [bound.of(d) for d in ("float32", "float64", "float16")] == [2, 3, 3]
