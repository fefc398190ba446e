"""Arrays are moved to JAX without a program of their own."""

from __future__ import annotations

import logging

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from polykeras.backend import get_backend  # noqa: E402


@pytest.mark.parametrize("dtype", ["float32", "int64", "bfloat16"])
def test_nothing_is_compiled_for_arrays_of_a_shape(dtype, caplog) -> None:
    backend = get_backend("jax")
    with jax.log_compiles(), caplog.at_level(logging.WARNING, "jax"):
        for i in range(60):
            x = backend.from_numpy(np.full((3, 1, 7, 2), i), dtype)
    assert backend.dtype_name(x) == dtype
    np.testing.assert_array_equal(backend.to_numpy(x), 59)
    assert not [r for r in caplog.records if "Compiling" in r.getMessage()]
