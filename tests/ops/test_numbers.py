"""Numbers beside tensors: the short way gives what the long one does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from polykeras import dtypes, ops
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, PolykerasError
from polykeras.ops._registry import REGISTRY

BINARY = sorted(
    name
    for name, function in REGISTRY.items()
    if function.op.plain
    and len(function.op.names) == 2
    # It takes tensors of equal shapes.
    and name != "sigmoid_crossentropy"
)


@pytest.mark.parametrize("number", [3, 0.5])
@pytest.mark.parametrize("name", BINARY)
def test_an_op_of_a_tensor_and_a_number(
    name: str, number: float, backend: Backend
) -> None:
    op = REGISTRY[name].op
    for dtype in ("float16", "bfloat16", "float32", "float64", "int32"):
        x = ops.convert_to_tensor(np.array([[0.25, 1.0], [2.0, 7.0]]), dtype)
        for args in ([x, number], [number, x]):
            expected, found = (
                _result(f, *args) for f in (partial(_run, op, backend), REGISTRY[name])
            )
            if isinstance(expected, str):
                assert found == expected
                continue
            assert backend.dtype_name(found) == backend.dtype_name(expected)
            same = (
                backend.to_numpy(found).tobytes()
                == backend.to_numpy(expected).tobytes()
            )
            assert same, (name, dtype, args)


def test_a_number_takes_the_dtype_of_a_tensor(backend: Backend) -> None:
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        x = ops.ones((2, 3), dtype)
        for found in (ops.multiply(x, 2), ops.subtract(1.5, x), ops.power(x, 2)):
            assert backend.dtype_name(found) == dtype
    assert dtypes.is_float(backend.dtype_name(ops.multiply(ops.arange(3), 0.5)))
    flags = ops.convert_to_tensor([True, False])
    assert backend.dtype_name(ops.add(flags, True)) == "bool"


@pytest.mark.parametrize(
    ("dtype", "number"),
    [("int32", 2**40), ("uint8", -1), ("uint8", 256), ("int8", 10**400)],
)
def test_integers_refuse_numbers_that_they_do_not_hold(
    dtype: str, number: int, backend: Backend
) -> None:
    x = ops.ones((2,), dtype)
    for call in (lambda: ops.add(x, number), lambda: ops.where(x > 0, x, number)):
        with pytest.raises(ArgumentError, match=f"does not fit into {dtype}"):
            call()
    edge = {"int32": 2**31 - 1, "uint8": 255, "int8": -128}[dtype]
    for call, expected in ((ops.maximum, max(edge, 1)), (ops.minimum, min(edge, 1))):
        assert backend.to_numpy(call(x, edge)).tolist() == [expected] * 2


def test_floats_round_numbers_that_they_do_not_hold(backend: Backend) -> None:
    ones = [ops.ones((2,), dtype) for dtype in ("float16", "float32", "bfloat16")]
    for x, number in zip(ones, (1e6, 1e300, 1e300), strict=True):
        for sign in (1, -1):
            found = backend.to_numpy(ops.multiply(x, sign * number))
            np.testing.assert_array_equal(found.astype("float64"), sign * np.inf)
    # Nearer to the largest number than to the next power of two.
    found = backend.to_numpy(ops.multiply(ones[0], 65510.0))
    np.testing.assert_array_equal(found, np.float16(65504))
    assert np.isnan(backend.to_numpy(ops.multiply(ones[1], float("nan")))).all()
    with pytest.raises(ArgumentError, match="does not fit into float32"):
        ops.multiply(ones[1], 10**400)


def _run(op: Any, backend: Backend, *args: Any) -> Any:
    return op.run(backend, list(args))


def _result(function: Callable[..., Any], *args: Any) -> Any:
    """Return the result, or what an error says."""
    try:
        return function(*args)
    except PolykerasError as error:
        return f"{type(error).__name__}: {error}"
