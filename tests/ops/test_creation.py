"""Creation, conversion and dtypes on every backend."""

from __future__ import annotations

import numpy as np
import pytest

from polykeras import ops
from polykeras.autodiff import vjp
from polykeras.backend import use_backend
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from polykeras.ops._abstract import Spec, evaluate
from tests.ops._checks import (
    check_abstract,
    check_gradient,
    check_values,
    host,
    raised,
    tensor,
)

A = np.arange(6, dtype=np.float32).reshape(2, 3)

# Name, arguments, keyword arguments, expected array.
MADE = [
    ("zeros", ((2, 3),), {}, np.zeros((2, 3), np.float32)),
    ("zeros", (3,), {"dtype": "int8"}, np.zeros(3, np.int8)),
    ("ones", ([2],), {"dtype": "bool"}, np.ones(2, bool)),
    ("empty", ((0, 2),), {}, np.zeros((0, 2), np.float32)),
    ("full", ((2, 2), 1.5), {}, np.full((2, 2), 1.5, np.float32)),
    ("full", ((), 7, "int64"), {}, np.full((), 7, np.int64)),
    ("full", ((2, 2), np.float64(3)), {}, np.full((2, 2), 3, np.float32)),
    ("zeros_like", (A,), {}, np.zeros((2, 3), np.float32)),
    ("ones_like", (A,), {"dtype": "int32"}, np.ones((2, 3), np.int32)),
    ("empty_like", (A,), {}, np.zeros((2, 3), np.float32)),
    ("full_like", (A, 4), {}, np.full((2, 3), 4, np.float32)),
    ("full_like", (A, np.arange(3)), {}, np.tile(np.arange(3, dtype="f4"), (2, 1))),
    ("arange", (4,), {}, np.arange(4, dtype=np.int32)),
    ("arange", (7, 1, -2), {}, np.array([7, 5, 3], np.int32)),
    ("arange", (3, 3), {}, np.zeros(0, np.int32)),
    ("arange", (3, 1), {}, np.zeros(0, np.int32)),
    ("arange", (0, 1, 0.1), {}, (0.1 * np.arange(10)).astype(np.float32)),
    ("arange", (3.0,), {}, np.arange(3, dtype=np.float32)),
    ("arange", (5,), {"dtype": "float64"}, np.arange(5, dtype=np.float64)),
    ("eye", (3,), {}, np.eye(3, dtype=np.float32)),
    ("eye", (2, 4, 1), {"dtype": "int32"}, np.eye(2, 4, 1, np.int32)),
    ("eye", (4, 2), {"k": -1}, np.eye(4, 2, -1, np.float32)),
    ("identity", (2,), {}, np.eye(2, dtype=np.float32)),
    ("tri", (3,), {}, np.tri(3, dtype=np.float32)),
    ("tri", (2, 4, -1), {"dtype": "bool"}, np.tri(2, 4, -1, bool)),
    ("tril", (A,), {}, np.tril(A)),
    ("triu", (A, 1), {}, np.triu(A, 1)),
    ("triu", (np.stack([A, A]), -1), {}, np.triu(np.stack([A, A]), -1)),
    ("linspace", (0, 1, 5), {}, np.linspace(0, 1, 5, dtype=np.float32)),
    ("linspace", (0, 1, 4, False), {}, np.linspace(0, 1, 4, False, dtype="f4")),
    ("linspace", (0, 9, 4), {"dtype": "int32"}, np.linspace(0, 9, 4, dtype=np.int32)),
    ("linspace", (2, 3, 1), {}, np.array([2], np.float32)),
    ("linspace", (2, 3, 0), {}, np.zeros(0, np.float32)),
    ("linspace", (A, A + 1, 3), {}, np.linspace(A, A + 1, 3, dtype=np.float32)),
    ("linspace", (A, 5.0, 3), {"axis": -1}, np.linspace(A, 5, 3, axis=-1, dtype="f4")),
    ("linspace", (A, A, 1), {}, A[None]),
    ("logspace", (0, 2, 5), {}, np.logspace(0, 2, 5, dtype=np.float32)),
    (
        "logspace",
        (A, A + 1, 3),
        {"base": 2},
        np.logspace(A, A + 1, 3, base=2, dtype="f4"),
    ),
    ("geomspace", (1, 1000, 4), {}, np.geomspace(1, 1000, 4, dtype=np.float32)),
    ("geomspace", (A + 1, A + 9, 3), {}, np.geomspace(A + 1, A + 9, 3, dtype="f4")),
    ("bartlett", (5,), {}, np.bartlett(5).astype(np.float32)),
    ("blackman", (5,), {}, np.blackman(5).astype(np.float32)),
    ("hamming", (5,), {}, np.hamming(5).astype(np.float32)),
    ("hanning", (1,), {}, np.hanning(1).astype(np.float32)),
    ("kaiser", (6, 8.6), {}, np.kaiser(6, 8.6).astype(np.float32)),
    ("copy", (A,), {}, A),
    ("array", ([1, 2],), {}, np.array([1, 2], np.int32)),
    ("array", ([[1.0]],), {"dtype": "float16"}, np.array([[1]], np.float16)),
    ("stop_gradient", (A,), {}, A),
    ("view", (A, "int32"), {}, A.view(np.int32)),
    ("view", (A.astype(np.float64), "float32"), {}, A.astype("f8").view(np.float32)),
    (
        "view",
        (np.arange(8, dtype="u1"), "uint32"),
        {},
        np.arange(8, dtype="u1").view("u4"),
    ),
]


@pytest.mark.parametrize("name, args, kwargs, expected", MADE)
def test_result_matches_numpy(backend, name, args, kwargs, expected):
    def run(*given):
        return getattr(ops, name)(*given, **kwargs)

    result = check_abstract(run, *args)
    # The logarithms and powers of logspace and geomspace cost a few roundings.
    scale = np.max(np.abs(expected), initial=0) if "space" in name else 0
    check_values(result, expected, ulp=8 if "space" in name else 1, scale=scale)
    assert ops.dtype(result) == expected.dtype.name


def test_linspace_returns_its_step(backend):
    values, step = ops.linspace(0, 1, 5, retstep=True)
    check_values([values, step], [np.linspace(0, 1, 5), 0.25])


def test_float_range_has_the_same_bits_on_every_backend():
    results = []
    for name in ("numpy", "torch", "jax"):
        with use_backend(name):
            results.append(ops.convert_to_numpy(ops.arange(0.3, 50, 0.07)))
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)


CASTS = [
    ("float32", "int32", [1.7, -1.7, 0.0], [1, -1, 0]),
    ("float32", "bool", [0.5, 0.0, -1.0], [True, False, True]),
    ("int32", "uint8", [1, 2, 3], [1, 2, 3]),
    ("bool", "float16", [True, False, True], [1, 0, 1]),
    ("int64", "float64", [2**40, 1, 0], [2.0**40, 1, 0]),
    ("float32", "bfloat16", [1.0, 1.00390625, 3.0], [1.0, 1.0, 3.0]),
    ("bfloat16", "float32", [1.5, 2.0, 3.0], [1.5, 2.0, 3.0]),
    ("float32", "complex64", [1.0, 2.0, 3.0], [1, 2, 3]),
    ("complex64", "float32", [1 + 2j, 2, 3j], [1, 2, 0]),
    ("complex64", "bool", [2j, 0, 1], [True, False, True]),
]


@pytest.mark.parametrize("source, target, values, expected", CASTS)
def test_cast_converts_values(backend, source, target, values, expected):
    x = tensor(np.array(values), source)
    result = ops.cast(x, target)
    assert ops.dtype(result) == target
    np.testing.assert_array_equal(host(result).astype(complex), np.array(expected))


SATURATED = [
    ("float32", "uint8", [-1.0, 300.0, 7.9, np.nan], [0, 255, 7, 0]),
    ("float32", "int32", [3e9, -3e9, 5.0], [2**31 - 1, -(2**31), 5]),
    ("float32", "int32", [np.inf, -np.inf], [2**31 - 1, -(2**31)]),
    ("int32", "int8", [200, -200, 3], [127, -128, 3]),
    ("int32", "uint8", [-5, 5], [0, 5]),
    ("uint8", "int8", [200, 3], [127, 3]),
    ("float32", "float16", [1e6, -1e6, 1.0], [65504, -65504, 1]),
    ("bool", "int32", [True, False], [1, 0]),
]


@pytest.mark.parametrize("source, target, values, expected", SATURATED)
def test_saturate_cast_stays_in_range(backend, source, target, values, expected):
    result = ops.saturate_cast(tensor(np.array(values), source), target)
    assert ops.dtype(result) == target
    np.testing.assert_array_equal(host(result), np.array(expected))


def test_convert_to_tensor_takes_whatever_holds_numbers(backend):
    native = ops.ones((2,))
    assert ops.convert_to_tensor(native) is native
    assert ops.dtype(ops.convert_to_tensor([1, 2])) == "int32"
    assert ops.dtype(ops.convert_to_tensor(1.5)) == "float32"
    assert ops.dtype(ops.convert_to_tensor(np.arange(2, dtype=np.int64))) == "int64"
    assert ops.dtype(ops.convert_to_tensor(True)) == "bool"
    assert ops.dtype(ops.convert_to_tensor(native, "float16")) == "float16"
    mixed = ops.convert_to_tensor([native, [3.0, 4.0]])
    check_values(mixed, np.array([[1, 1], [3, 4]]), dtype="float32")


def test_convert_to_tensor_refuses_what_is_not_dense(backend):
    assert "sparse=True" in raised(
        ArgumentError, lambda: ops.convert_to_tensor([1], sparse=True)
    )
    assert "rectangular" in raised(ArgumentError, ops.convert_to_tensor, [[1], [1, 2]])


def test_inspection(backend):
    x = tensor(A)
    assert ops.is_tensor(x)
    assert not ops.is_tensor([1.0])
    assert ops.shape(x) == (2, 3)
    assert ops.shape([[1, 2]]) == (1, 2)
    assert ops.dtype(x) == "float32"
    assert ops.dtype(2) == "int32"
    assert type(ops.convert_to_numpy(x)) is np.ndarray
    np.testing.assert_array_equal(ops.convert_to_numpy([1.0, 2.0]), [1.0, 2.0])


def test_copy_owns_its_memory(backend):
    x = tensor(A.copy())
    y = ops.copy(x)
    if backend.name == "numpy":
        assert not np.shares_memory(x, y)
    elif backend.name == "torch":
        assert x.data_ptr() != y.data_ptr()
    else:
        assert y is not x
    check_values(y, A)


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: ops.cast(ops.cast(x, "complex128"), "float64") * x,
        lambda x: ops.tril(x) * x,
        lambda x: ops.triu(x, 1) * x,
        lambda x: ops.copy(x) * x,
        lambda x: ops.full((3, 2, 3), x, "float64") * x,
        lambda x: ops.full_like(x, x) * x,
        lambda x: ops.linspace(x, x * x, 4),
        lambda x: ops.logspace(x, 1.0, 3),
        lambda x: ops.geomspace(ops.add(x, 1.0), ops.add(x, 5.0), 3),
        lambda x: ops.array(x) * ops.zeros_like(x),
        lambda x: ops.cast(ops.cast(x, "int32"), "float64") * x,
    ],
)
def test_gradient(backend, fn):
    check_gradient(fn, [0.3 + 0.1 * A.astype(np.float64)], order=2)


def test_stop_gradient_blocks(backend):
    x = tensor(A)
    _, pull = vjp(lambda x: ops.stop_gradient(x) * x, x)
    check_values(pull(ops.ones_like(x)), A)


def test_convert_to_numpy_inside_a_derivative_gives_values():
    with use_backend("numpy"):
        seen = []

        def fn(x):
            seen.append(ops.convert_to_numpy(x))
            return x * 2.0

        vjp(fn, tensor(A))
        np.testing.assert_array_equal(seen[0], A)


def test_convert_keeps_traced_tensors_as_they_are():
    def fn(x):
        assert ops.convert_to_tensor(x) is x
        assert ops.is_tensor(x)
        assert ops.shape(x) == (2, 3)
        assert ops.dtype(x) == "float32"
        return ops.convert_to_tensor(x, "int32")

    with use_backend("numpy"):
        assert repr(evaluate(fn, [Spec((2, 3), "float32")])) == "int32[2, 3]"


ERRORS = [
    (ArgumentError, "step=0", lambda: ops.arange(0, 5, 0)),
    (ShapeError, "negative", lambda: ops.zeros((2, -1))),
    (ShapeError, "ops.full cannot broadcast", lambda: ops.full((2,), tensor(A))),
    (ShapeError, "two axes", lambda: ops.tril(tensor(A[0]))),
    (ShapeError, "two axes", lambda: ops.triu(tensor(A[0]))),
    (ShapeError, "bytes", lambda: ops.view(tensor(A), "float64")),
    (DTypeError, "Unknown dtype", lambda: ops.cast(tensor(A), "float33")),
    (ArgumentError, "num", lambda: ops.linspace(0, 1, -1)),
    (ArgumentError, "points", lambda: ops.hanning(-1)),
]


@pytest.mark.parametrize("kind, part, call", ERRORS)
def test_errors_say_what_is_wrong(backend, kind, part, call):
    assert part in raised(kind, call)
