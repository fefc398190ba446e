"""Shape ops: what the conformance suite does not test of them."""

import numpy as np
import pytest

from polykeras import ops
from polykeras.autodiff import vjp
from polykeras.backend import Backend
from tests.ops._checks import check_values, tensor

X = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(np.float32)
M = np.arange(12, dtype=np.int32).reshape(3, 4)
V = np.array([2.0, -1.0, 0.5], np.float32)


def test_append_keeps_the_dtype_beside_a_number(backend: Backend) -> None:
    check_values(ops.append(M, 7), np.append(M, 7), dtype="int32")


def test_pad_with_a_tensor_of_a_value(backend: Backend) -> None:
    expected = np.pad(M, 1, constant_values=3)
    traced = ops.pad(M, 1, constant_values=ops.convert_to_tensor(3.0))
    check_values(traced, expected, dtype="int32")


def test_size_and_ndim(backend: Backend) -> None:
    assert (ops.size(X), ops.ndim(X)) == (120, 3)
    assert (ops.size([[1, 2]]), ops.ndim(3.0)) == (2, 0)


@pytest.mark.parametrize("op", ["split", "unstack"])
def test_results_are_of_one_type_when_differentiated(backend: Backend, op) -> None:
    def fn(x):
        parts = ops.split(x, 2, 1) if op == "split" else ops.unstack(x, 4, 1)
        kinds.append(type(parts))
        return parts[0] + parts[1]

    kinds = [type(ops.split(V, 3) if op == "split" else ops.unstack(V))]
    x = M.astype(np.float32)
    _out, pullback = vjp(fn, tensor(x))
    grad = pullback(ops.ones_like(fn(tensor(x))))
    assert len(set(kinds)) == 1
    width = 2 if op == "split" else 1
    check_values(grad, np.ones_like(x) * (np.arange(4) < 2 * width), dtype="float32")
