"""Capabilities: what is declared works, and what is not declared does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from polykeras import dtypes, ops
from polykeras.backend import Backend
from polykeras.errors import DTypeError, PolykerasError

X = np.array([1.0, 2.0, 4.0], np.float32)


@pytest.mark.parametrize("dtype", dtypes.ALL)
def test_dtypes(backend: Backend, dtype: str) -> None:
    values = np.array([0, 1, 1]).astype(dtypes.as_numpy_dtype(dtype))
    if dtype not in backend.capabilities.dtypes:
        with pytest.raises(DTypeError, match=f"no dtype {dtype}"):
            backend.from_numpy(values, dtype)
        return
    x = backend.from_numpy(values, dtype)
    assert backend.dtype_name(x) == dtype
    found = backend.to_numpy(x)
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)
    assert backend.dtype_name(ops.cast(x, "float32")) == "float32"
    assert backend.dtype_name(ops.cast(ops.ones((2,)), dtype)) == dtype


def test_complex(backend: Backend) -> None:
    named = any(dtypes.is_complex(name) for name in backend.capabilities.dtypes)
    assert backend.capabilities.complex == named
    if named:
        x = backend.from_numpy(np.array([3 + 4j]), "complex64")
        assert float(backend.to_numpy(ops.abs(x))[0]) == 5.0


def test_autodiff(backend: Backend) -> None:
    x = backend.from_numpy(X, "float32")

    def squares(x: Any) -> tuple[list[Any], None]:
        return [ops.sum(ops.square(x))], None

    if backend.capabilities.autodiff == "tape":
        for promise in (backend.custom_vjp, backend.checkpoint):
            with pytest.raises(NotImplementedError, match="tape"):
                promise(squares)
        with pytest.raises(NotImplementedError, match="tape"):
            backend.vjp(squares, [x])
        return
    outputs, pullback, aux = backend.vjp(squares, [x])
    (gradient,) = pullback([ops.ones_like(outputs[0])])
    assert aux is None
    assert float(backend.to_numpy(outputs[0])) == 21.0
    np.testing.assert_array_equal(backend.to_numpy(gradient), 2 * X)


def test_compile(backend: Backend) -> None:
    calls = []

    def fn(x: Any) -> Any:
        calls.append(1)
        return ops.exp(x) - ops.sum(x)

    compiled = backend.compile(fn)
    x = backend.from_numpy(X, "float32")
    first, second = compiled(x), compiled(x + 0)
    np.testing.assert_array_equal(backend.to_numpy(first), backend.to_numpy(second))
    runs = len(calls)
    compiled(backend.from_numpy(np.ones(5, np.float32), "float32"))
    if backend.capabilities.compile:
        assert runs == 1, f"traced {runs} times for one signature"
        assert len(calls) == 2, "another shape needs a trace of its own"
    else:
        assert (runs, len(calls)) == (2, 3), "a backend that does not compile runs fn"


def test_dynamic_shapes(backend: Backend) -> None:
    """Shapes that depend on values work in compiled code, or are refused there."""
    x = backend.from_numpy(np.array([0, 3, 0, 5]), "int32")
    compiled = backend.compile(lambda x: ops.nonzero(x)[0])
    if backend.capabilities.dynamic_shapes:
        np.testing.assert_array_equal(backend.to_numpy(compiled(x)), [1, 3])
        return
    with pytest.raises(PolykerasError, match="nonzero"):
        compiled(x)


def test_inplace(backend: Backend) -> None:
    """Donated tensors may be overwritten; others never are."""
    x, g = (backend.from_numpy(a, "float32") for a in (X, np.ones_like(X)))
    (kept,) = ops.sgd_update([x], [g], 0.5)
    np.testing.assert_array_equal(backend.to_numpy(kept), X - 0.5)
    np.testing.assert_array_equal(backend.to_numpy(x), X)
    (updated,) = ops.sgd_update([x], [g], 0.5, donate=True)
    np.testing.assert_array_equal(backend.to_numpy(updated), X - 0.5)
    if backend.capabilities.inplace:
        np.testing.assert_array_equal(backend.to_numpy(x), X - 0.5)
