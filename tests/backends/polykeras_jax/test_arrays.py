"""Arrays are moved to JAX without a program of their own."""

from __future__ import annotations

import logging

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from polykeras.backend import get_backend  # noqa: E402


@pytest.mark.parametrize("dtype", ["float32", "int64", "bfloat16"])
def test_nothing_is_compiled_for_the_first_array_of_a_shape(dtype, caplog) -> None:
    backend = get_backend("jax")
    with jax.log_compiles(), caplog.at_level(logging.WARNING, "jax"):
        x = backend.from_numpy(np.ones((3, 1, 7, 2)), dtype)
    assert backend.dtype_name(x) == dtype
    np.testing.assert_array_equal(backend.to_numpy(x), 1)
    assert not [r for r in caplog.records if "Compiling" in r.getMessage()]


def test_arrays_that_come_often_are_the_same() -> None:
    backend = get_backend("jax")
    for i in range(60):
        x = backend.from_numpy(np.full((5, 2), i), "float64")
        assert backend.dtype_name(x) == "float64"
        np.testing.assert_array_equal(backend.to_numpy(x), i)
