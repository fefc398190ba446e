"""Convolutions of one cell with strides, which the library derives wrongly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.autodiff import grad

pytest.importorskip("torch")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 8, 8, 2)).astype("float32")
# Sums over 8 * 4 * 4 cells of products that are squared: some 130 roundings.
TOLERANCE = 130 * np.finfo("float32").eps


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("channels", [1, 2, 3, 8])
def test_strided_convolutions_of_one_cell(channels: int, padding: str) -> None:
    kernel = RNG.normal(size=(1, 1, 2, channels)).astype("float32")

    def loss(x: Any, w: Any) -> Any:
        return ops.sum(ops.square(ops.conv(x, w, 2, padding)))

    found = []
    for name in ("numpy", "torch"):
        with keras.use_backend(name) as backend:
            args = ops.convert_to_tensor(X), ops.convert_to_tensor(kernel)
            for _ in range(200):  # memory beyond an array is not always missed at once
                slopes = grad(loss, argnums=(0, 1))(*args)
            outputs = ops.conv(*args, 2, padding)
            found.append([backend.to_numpy(a) for a in (outputs, *slopes)])
    for a, b in zip(*found, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(b, a, 0, TOLERANCE * np.abs(a).max())
