"""Kernels whose corrections the compiler has to leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from polykeras import ops
from polykeras.backend import use_backend

pytest.importorskip("jax")


@pytest.mark.parametrize("op", ["log1p", "arctanh"])
@pytest.mark.parametrize("compiled", [False, True])
def test_small_values_keep_their_digits(op, compiled) -> None:
    size = 10.0 ** np.linspace(-307, -1, 600)
    x = np.concatenate([-size, size])
    with use_backend("jax") as backend:
        fn = getattr(ops, op)
        found = (backend.compile(fn) if compiled else fn)(ops.convert_to_tensor(x))
    # Two functions of the library of one unit each, and two operations.
    np.testing.assert_allclose(found, getattr(np, op)(x), rtol=4 * 2.0**-52, atol=0)
