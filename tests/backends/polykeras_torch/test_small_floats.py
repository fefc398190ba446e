"""Products of 16-bit floats, on CPUs that have instructions for them and others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.autodiff import grad

torch = pytest.importorskip("torch")

from polykeras_torch import small_floats  # noqa: E402 needs torch

RNG = np.random.default_rng(0)
PRODUCTS: dict[str, tuple[tuple[int, ...], tuple[int, ...], Any]] = {
    "matmul": ((5, 300), (300, 4), ops.matmul),
    "tensordot": ((5, 300), (300, 4), lambda x, w: ops.tensordot(x, w, 1)),
    "einsum": ((5, 300), (300, 4), lambda x, w: ops.einsum("ij,jk->ik", x, w)),
    "conv": ((2, 9, 9, 3), (3, 3, 3, 4), ops.conv),
    "conv_transpose": ((2, 5, 5, 3), (3, 3, 4, 3), ops.conv_transpose),
}


@pytest.fixture(params=["float16", "bfloat16"])
def dtype(request):
    return request.param


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_without_instructions_are_rounded_once(monkeypatch, name, dtype):
    monkeypatch.setattr(small_floats, "_MULTIPLIED_ON_CPU", frozenset())
    left, right, product = PRODUCTS[name]

    def slopes(x: Any, w: Any) -> Any:
        return grad(lambda *args: ops.sum(product(*args)), argnums=(0, 1))(x, w)

    with keras.use_backend("torch"), keras.device("cpu"):
        narrow = [
            ops.cast(RNG.normal(size=shape).astype("float32"), dtype)
            for shape in (left, right)
        ]
        wide = [ops.cast(x, "float32") for x in narrow]
        found = [product(*narrow), *slopes(*narrow)]
        expected = [ops.cast(y, dtype) for y in (product(*wide), *slopes(*wide))]
    for y, want in zip(found, expected, strict=True):
        assert keras.backend.standardize_dtype(y.dtype) == dtype
        assert torch.equal(y, want)


@pytest.mark.parametrize("has", [True, False])
def test_the_dtype_of_products_follows_the_cpu(monkeypatch, has, dtype):
    kind = getattr(torch, dtype)
    there = frozenset([kind]) if has else frozenset()
    monkeypatch.setattr(small_floats, "_MULTIPLIED_ON_CPU", there)
    seen = []
    multiply = torch.matmul

    def spy(x, y):
        seen.append(x.dtype)
        return multiply(x, y)

    monkeypatch.setattr(torch, "matmul", spy)
    with keras.use_backend("torch"), keras.device("cpu"):
        x = ops.ones((2, 2), dtype)
        assert ops.matmul(x, x).dtype == kind
    assert seen == [kind if has else torch.float32]


@pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(),
    reason="this build of PyTorch has no oneDNN, which is what tells",
)
@pytest.mark.parametrize("name", small_floats.ASKED.values())
def test_the_library_tells_what_the_cpu_has(name):
    assert getattr(torch.ops.mkldnn, name)() in {True, False}
