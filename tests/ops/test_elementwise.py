"""Elementwise ops on every backend: values, dtypes, shapes, derivatives."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special as sp

from polykeras import ops
from polykeras.autodiff import vjp
from polykeras.backend import use_backend
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from tests.ops._checks import (
    check_abstract,
    check_gradient,
    check_values,
    host,
    raised,
    tensor,
)
from tests.ops._elementwise_cases import BINARY, UNARY, Case

FLOATS = ("bfloat16", "float16", "float32", "float64")


def sample(case: Case, shape: tuple[int, ...], seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(case.low, case.high, shape)


# SciPy's own loses digits in the far tail; the C library's does not.
_erfc = np.vectorize(math.erfc)


def by_op(case: Case) -> str:
    return case.op


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", UNARY, ids=by_op)
def test_unary_values(backend, case, dtype):
    x = host(tensor(sample(case, (4, 5)), dtype))
    result = check_abstract(getattr(ops, case.op), x)
    check_values(result, case.reference(x.astype(np.float64)), ulp=case.ulp)
    assert ops.dtype(result) in (dtype, "bool")


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", BINARY, ids=by_op)
def test_binary_values(backend, case, dtype):
    x1 = host(tensor(sample(case, (4, 1, 5), 1), dtype))
    x2 = host(tensor(sample(case, (3, 5), 2), dtype))
    result = check_abstract(getattr(ops, case.op), x1, x2)
    wide = case.reference(x1.astype(np.float64), x2.astype(np.float64))
    # Terms near 1 cancel in remainders and logarithms of sums.
    cancels = "mod" in case.op or "logadd" in case.op
    check_values(result, wide, ulp=case.ulp, scale=1.0 if cancels else 0.0)
    assert ops.dtype(result) in (dtype, "bool")


@pytest.mark.parametrize("case", [c for c in UNARY if c.smooth], ids=by_op)
def test_unary_gradient(backend, case):
    x = sample(case, (5,), 3)
    x += np.where(np.abs(x - np.round(x)) < 0.05, 0.11, 0.0)
    check_gradient(getattr(ops, case.op), [x], case.order, tolerance=case.tolerance)


@pytest.mark.parametrize("case", [c for c in BINARY if c.smooth], ids=by_op)
def test_binary_gradient(backend, case):
    args = [sample(case, (2, 1), 4), sample(case, (3,), 5)]
    check_gradient(getattr(ops, case.op), args, case.order, tolerance=case.tolerance)


PROMOTED = [
    ("add", "int32", "int32", "int32"),
    ("add", "bool", "bool", "bool"),
    ("add", "uint8", "int8", "int16"),
    ("add", "int64", "float16", "float16"),
    ("add", "float16", "bfloat16", "float32"),
    ("add", "float32", "float64", "float64"),
    ("add", "float32", "complex64", "complex64"),
    ("subtract", "int8", "int32", "int32"),
    ("multiply", "bool", "float32", "float32"),
    ("divide", "int32", "int32", "float32"),
    ("divide", "int64", "int64", "float32"),
    ("divide", "int32", "float64", "float64"),
    ("floor_divide", "bool", "bool", "int32"),
    ("floor_divide", "int32", "float32", "float32"),
    ("mod", "uint8", "uint8", "uint8"),
    ("power", "bool", "bool", "int32"),
    ("power", "int32", "float32", "float32"),
    ("power", "int8", "int8", "int8"),
    ("maximum", "int32", "float16", "float16"),
    ("maximum", "bool", "bool", "bool"),
    ("equal", "int32", "float32", "bool"),
    ("less", "bool", "int8", "bool"),
    ("arctan2", "int32", "int32", "float32"),
    ("logaddexp", "int32", "int32", "float32"),
    ("hypot", "int32", "int32", "float32"),
    ("bitwise_and", "uint8", "int32", "int32"),
    ("bitwise_xor", "bool", "bool", "bool"),
    ("left_shift", "uint8", "uint8", "uint8"),
    ("right_shift", "int64", "int32", "int64"),
    ("gcd", "int8", "int32", "int32"),
    ("fmod", "bool", "bool", "int32"),
    *[("add", u, u, u) for u in ("uint16", "uint32", "uint64")],
    *[("subtract", u, u, u) for u in ("uint16", "uint32", "uint64")],
    *[("maximum", u, u, u) for u in ("uint16", "uint32")],
    *[("less", u, u, "bool") for u in ("uint16", "uint32")],
    *[("mod", u, u, u) for u in ("uint16", "uint32")],
]


@pytest.mark.parametrize("op, first, second, expected", PROMOTED)
def test_binary_dtype(backend, op, first, second, expected):
    x1 = np.array([1, 1]).astype(first if "bf" not in first else "float32")
    x2 = np.array([1, 1]).astype(second if "bf" not in second else "float32")

    def run(a, b):
        return getattr(ops, op)(ops.cast(a, first), ops.cast(b, second))

    assert ops.dtype(check_abstract(run, x1, x2)) == expected


UNARY_DTYPES = [
    ("exp", "int32", "float32"),
    ("exp", "bool", "float32"),
    ("exp", "complex64", "complex64"),
    ("floor", "int64", "float32"),
    ("ceil", "uint8", "float32"),
    ("round", "int32", "int32"),
    ("trunc", "int32", "int32"),
    ("abs", "int8", "int8"),
    ("abs", "bool", "bool"),
    ("abs", "complex64", "float32"),
    ("abs", "complex128", "float64"),
    ("negative", "int32", "int32"),
    ("sign", "int32", "int32"),
    ("sign", "uint8", "uint8"),
    ("sign", "complex64", "complex64"),
    ("square", "int32", "int32"),
    ("square", "bool", "int32"),
    ("reciprocal", "int32", "float32"),
    ("erf", "int32", "float32"),
    ("fabs", "int32", "float32"),
    ("isnan", "int32", "bool"),
    ("isinf", "int32", "bool"),
    ("isfinite", "int32", "bool"),
    ("signbit", "int32", "bool"),
    ("real", "complex64", "float32"),
    ("imag", "complex128", "float64"),
    ("imag", "int32", "int32"),
    ("conj", "complex64", "complex64"),
    ("angle", "complex64", "float32"),
    ("angle", "int32", "float32"),
    ("bitwise_not", "uint8", "uint8"),
    ("bitwise_not", "bool", "bool"),
    ("logical_not", "float32", "bool"),
    ("nan_to_num", "int32", "int32"),
    ("nan_to_num", "complex64", "complex64"),
    ("view_as_real", "complex64", "float32"),
    ("view_as_complex", "float64", "complex128"),
    ("view_as_complex", "float16", "complex64"),
    ("i0", "int32", "float32"),
    ("abs", "uint16", "uint16"),
    ("negative", "uint32", "uint32"),
]


@pytest.mark.parametrize("op, dtype, expected", UNARY_DTYPES)
def test_unary_dtype(backend, op, dtype, expected):
    x = np.array([1, 2]).astype(dtype)
    assert ops.dtype(check_abstract(getattr(ops, op), x)) == expected


def test_python_scalars_are_weak(backend):
    x = tensor(np.array([1.5, 2.5]), "float16")
    assert ops.dtype(ops.add(x, 1)) == "float16"
    assert ops.dtype(ops.multiply(2.5, x)) == "float16"
    assert ops.dtype(ops.add(tensor(np.array([1, 2]), "int8"), 1)) == "int8"
    assert ops.dtype(ops.add(1, 2)) == "int32"
    assert ops.dtype(ops.power(2, 0.5)) == "float32"
    assert ops.dtype(ops.where([True, False], x, 0.0)) == "float16"


def test_bits(backend):
    x, y = np.array([6, -1, 12], np.int32), np.array([3, 5, 2], np.int32)
    table = {
        "bitwise_and": x & y,
        "bitwise_or": x | y,
        "bitwise_xor": x ^ y,
        "left_shift": x << y,
        "right_shift": x >> y,
        "bitwise_left_shift": x << y,
        "bitwise_right_shift": x >> y,
    }
    for name, expected in table.items():
        check_values(check_abstract(getattr(ops, name), x, y), expected)
    check_values(ops.bitwise_invert(tensor(x)), ~x)
    check_values(ops.logical_xor(tensor(x > 0), tensor(y > 2)), (x > 0) ^ (y > 2))


def test_whole_number_functions(backend):
    x = np.array([12, -18, 7, 0], np.int32)
    y = np.array([18, 27, -21, 5], np.int32)
    check_values(check_abstract(ops.gcd, x, y), np.gcd(x, y))
    check_values(check_abstract(ops.lcm, x, y), np.lcm(x, y))


@pytest.mark.parametrize("decimals", [-2, -1, 0, 1, 3])
def test_round_to_decimals(backend, decimals):
    x = np.array([123.4567, -0.05, 2.5, 1234.5])
    check_values(ops.round(tensor(x), decimals), np.round(x, decimals), ulp=2)
    whole = np.array([14, 15, 25, -151], np.int32)
    check_values(ops.round(tensor(whole), decimals), np.round(whole, decimals))


def test_nextafter_steps_by_one_unit(backend):
    x = np.array([1.0, -1.0, 0.0, 0.0, 1.0, np.nan, np.inf], np.float32)
    y = np.array([2.0, 0.0, 1.0, -1.0, 1.0, 1.0, 0.0], np.float32)
    np.testing.assert_array_equal(
        host(check_abstract(ops.nextafter, x, y)), np.nextafter(x, y)
    )


def test_ldexp_scales_by_powers_of_two(backend):
    x = np.array([0.75, -1.0, 3.0], np.float32)
    n = np.array([3, -5, 100], np.int32)
    check_values(check_abstract(ops.ldexp, x, n), np.ldexp(x.astype(float), n), ulp=0)
    check_gradient(ops.ldexp, [np.array([0.5, 2.0]), np.array([2, -1])], 2)


def test_complex_parts(backend):
    z = np.array([1 + 2j, -3 + 0.5j, 0], np.complex64)
    check_values(check_abstract(ops.abs, z), np.abs(z))
    check_values(ops.angle(tensor(z)), np.angle(z))
    check_values(ops.conj(tensor(z)), np.conj(z))
    parts = check_abstract(ops.view_as_real, z)
    check_values(parts, np.stack([z.real, z.imag], -1))
    check_values(check_abstract(ops.view_as_complex, host(parts)), z)
    check_values(ops.isreal(tensor(z)), np.isreal(z))
    polar = check_abstract(ops.polar, np.array([2.0]), np.array([[0.5], [1.0]]))
    check_values(polar, 2 * np.exp(1j * np.array([[0.5], [1.0]])))


def test_gradient_through_complex_numbers(backend):
    def fn(x):
        z = ops.view_as_complex(x)
        w = ops.multiply(ops.conj(z), ops.multiply(z, ops.exp(z)))
        return ops.real(w), ops.imag(w), ops.abs(w), ops.view_as_real(ops.sin(w))

    check_gradient(fn, [np.array([[0.3, -0.5], [0.8, 0.2]])])


def test_where_broadcasts_and_keeps_gradients_apart(backend):
    c = np.array([[True], [False]])
    a, b = np.array([1.0, 2.0, 3.0]), np.array([[5.0]])
    check_values(check_abstract(ops.where, c, a, b), np.where(c, a, b))
    check_gradient(lambda x, y: ops.where(c, ops.square(x), y), [a, b], 2)
    # Zero, not NaN, from the branch that is not taken.
    x = tensor(np.array([0.0, 4.0]))
    _, pull = vjp(lambda x: ops.where(ops.equal(x, 0), x, ops.square(x)), x)
    check_values(pull(ops.ones_like(x)), np.array([1.0, 8.0]))


def test_where_of_a_condition_alone_gives_indices(backend):
    rows, columns = ops.where([[True, False], [True, True]])
    expected = [np.array([0, 1, 1]), np.array([0, 0, 1])]
    check_values([rows, columns], expected, dtype="int32")


def test_select_takes_the_first_choice_that_holds(backend):
    x = np.arange(6, dtype=np.float32)
    conditions = [x < 2, x < 4]
    expected = np.select(conditions, [x, x * 10], -1)
    check_values(ops.select(conditions, [x, x * 10], -1), expected)
    check_gradient(
        lambda y: ops.select(conditions, [ops.square(y), y], 0.0), [x.astype("f8")]
    )


def test_clip(backend):
    x = np.array([-3, 0, 7], np.int32)
    check_values(check_abstract(ops.clip, x, -1, 5), np.clip(x, -1, 5))
    check_values(ops.clip(tensor(x), None, 5), np.minimum(x, 5))
    check_values(ops.clip(tensor(x), 0, None), np.maximum(x, 0))
    check_gradient(lambda x: ops.clip(x, -1.0, 1.0), [np.array([-2.0, 0.5, 3.0])], 2)


TIES = [
    ("maximum", (1.0, 1.0), (0.5, 0.5)),
    ("minimum", (1.0, 1.0), (0.5, 0.5)),
    ("maximum", (2.0, 1.0), (1.0, 0.0)),
    ("minimum", (2.0, 1.0), (0.0, 1.0)),
    ("fmax", (1.0, 1.0), (0.5, 0.5)),
    ("fmin", (1.0, 1.0), (0.5, 0.5)),
    ("fmax", (float("nan"), 1.0), (0.0, 1.0)),
    ("hypot", (0.0, 0.0), (0.0, 0.0)),
    ("divide_no_nan", (3.0, 0.0), (0.0, 0.0)),
    ("power", (0.0, 2.0), (0.0, 0.0)),
    ("power", (3.0, 0.0), (0.0, float(np.log(3.0)))),
    ("power", (0.0, 1.0), (1.0, 0.0)),
    ("floor_divide", (7.0, 2.0), (0.0, 0.0)),
    ("mod", (7.0, 2.0), (1.0, -3.0)),
    ("fmod", (-7.0, 2.0), (1.0, 3.0)),
    ("logaddexp", (1.0, 1.0), (0.5, 0.5)),
    ("abs", (0.0,), (0.0,)),
    ("sign", (0.0,), (0.0,)),
    ("floor", (1.0,), (0.0,)),
    ("sinc", (0.0,), (0.0,)),
    ("clip", (1.0, 0.0, 1.0), (0.5, 0.0, 0.5)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op, at, expected", TIES)
def test_gradient_at_special_points(backend, op, at, expected, dtype):
    points = [tensor(np.array(p), dtype) for p in at]
    out, pull = vjp(getattr(ops, op), *points)
    grads = pull(ops.ones_like(out))
    grads = [grads] if len(at) == 1 else list(grads)
    check_values(grads, list(expected), dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_error_function_is_accurate_everywhere(backend, dtype):
    x = np.concatenate([np.linspace(-6, 6, 2001), [1e-30, 0.46875, 4.0, 25.0]])
    x = host(tensor(x, dtype)).astype(np.float64)
    check_values(ops.erf(tensor(x, dtype)), sp.erf(x), ulp=4)
    tail = x[np.abs(x) < (9 if dtype == "float32" else 26)]
    # XLA's float32 polynomial of erfc and its exponential are good to 32 units.
    check_values(ops.erfc(tensor(tail, dtype)), _erfc(tail), ulp=32)
    p = np.concatenate([np.linspace(-0.999, 0.999, 999), [1 - 1e-7, 1e-20, -1 + 1e-6]])
    p = host(tensor(p, dtype)).astype(np.float64)
    check_values(ops.erfinv(tensor(p, dtype)), sp.erfinv(p), ulp=16)


def test_numpy_error_functions_are_good_to_a_few_units():
    with use_backend("numpy"):
        x = np.linspace(-6, 25, 4001)
        check_values(ops.erf(x), sp.erf(x), ulp=2)
        check_values(ops.erfc(x), _erfc(x), ulp=4)
        p = np.concatenate([np.linspace(-1, 1, 4001)[1:-1], 10.0 ** -np.arange(1, 300)])
        check_values(ops.erfinv(p), sp.erfinv(p), ulp=8)


def test_i0_of_large_and_small_arguments(backend):
    x = np.array([0.0, 1e-5, 7.99, 8.0, 8.01, 40.0, -3.0])
    check_values(ops.i0(tensor(x)), sp.i0(x), ulp=16)


def test_small_values_keep_their_digits(backend):
    x = np.array([1e-12, -1e-9, 1e-5])
    for name in ("arctanh", "arcsinh", "expm1", "log1p", "tanh", "sinh", "arcsin"):
        check_values(getattr(ops, name)(tensor(x)), getattr(np, name)(x), ulp=4)


def test_isclose(backend):
    a = np.array([1.0, 100.0, np.nan, 0.0])
    b = np.array([1.0 + 1e-6, 101.0, np.nan, 1e-9])
    check_values(ops.isclose(a, b), np.isclose(a, b))
    check_values(
        ops.isclose(a, b, 0.1, 0.0, True), np.isclose(a, b, 0.1, 0.0, equal_nan=True)
    )
    assert bool(ops.allclose(a[:1], b[:1]))
    assert not bool(ops.allclose(a, b))


def test_nan_to_num(backend):
    x = np.array([np.nan, np.inf, -np.inf, 2.0], np.float32)
    check_values(ops.nan_to_num(tensor(x)), np.nan_to_num(x))
    check_values(
        ops.nan_to_num(tensor(x), 1.0, 2.0, 3.0), np.array([1.0, 2.0, 3.0, 2.0])
    )


REFUSED = [
    ("subtract", DTypeError, ([True], [False])),
    ("negative", DTypeError, ([True],)),
    ("bitwise_and", DTypeError, ([1.0], [2.0])),
    ("bitwise_not", DTypeError, ([1.0],)),
    ("left_shift", DTypeError, ([1.0], [2.0])),
    ("left_shift", DTypeError, ([True], [True])),
    ("gcd", DTypeError, ([1.0], [2.0])),
    ("ldexp", DTypeError, ([1.0], [2.0])),
    ("round", DTypeError, ([True],)),
    ("sign", DTypeError, ([True],)),
    ("floor", DTypeError, ([1j],)),
    ("add", ShapeError, (np.zeros((2, 3)), np.zeros((2, 4)))),
    ("where", ShapeError, ([True, False], np.zeros(2), np.zeros(3))),
    ("where", ArgumentError, ([True], 1.0)),
    ("select", ArgumentError, ([], [])),
    ("maximum", ShapeError, (np.zeros((3,)), np.zeros((4,)))),
    ("view_as_complex", ShapeError, (np.zeros((2, 3)),)),
    ("view_as_complex", DTypeError, ([1j, 2j],)),
]


@pytest.mark.parametrize("op, kind, args", REFUSED)
def test_errors_are_the_same_on_every_backend(op, kind, args):
    messages = set()
    for name in ("numpy", "torch", "jax"):
        with use_backend(name):
            given = [tensor(np.array(a)) if isinstance(a, list) else a for a in args]
            if op == "select":
                given = list(args)
            messages.add(raised(kind, getattr(ops, op), *given))
    assert len(messages) == 1
    assert f"ops.{op}" in messages.pop()


def test_arguments_are_not_changed(backend):
    for case in UNARY:
        x = tensor(sample(case, (3,)))
        before = host(x).copy()
        getattr(ops, case.op)(x)
        np.testing.assert_array_equal(host(x), before)


@pytest.mark.parametrize("name", ["exp", "erf", "floor", "isnan"])
def test_empty_and_scalar_tensors(backend, name):
    for x in (np.zeros((0, 3), np.float32), np.array(0.5, np.float32)):
        assert check_abstract(getattr(ops, name), x).shape == x.shape
