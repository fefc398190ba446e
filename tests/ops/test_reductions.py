"""Reductions and scans, with and without NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest

from polykeras import ops
from polykeras.autodiff import vjp
from polykeras.backend import use_backend
from polykeras.errors import ArgumentError, DTypeError, PolykerasError, ShapeError
from tests.ops._checks import (
    check_abstract,
    check_gradient,
    check_values,
    epsilon,
    host,
    raised,
    tensor,
)

RNG = np.random.default_rng(3)
X = RNG.normal(size=(3, 4, 5)).astype(np.float32)
HOLES = np.where(RNG.uniform(size=X.shape) < 0.3, np.nan, X).astype(np.float32)
TIES = RNG.integers(0, 3, (4, 6)).astype(np.float32)
N = X.size

# Op, NumPy's function of the same meaning, and the sum of magnitudes on which the
# rounding error of a result depends (None: the result is exact).
REDUCTIONS = [
    ("sum", np.sum, lambda x, **k: np.sum(np.abs(x), **k)),
    ("prod", np.prod, lambda x, **k: np.abs(np.prod(x, **k))),
    ("max", np.max, None),
    ("min", np.min, None),
    ("amax", np.max, None),
    ("amin", np.min, None),
    ("ptp", np.ptp, lambda x, **k: np.max(np.abs(x), **k)),
]
NAN_REDUCTIONS = [
    ("nansum", np.nansum, lambda x, **k: np.nansum(np.abs(x), **k)),
    ("nanprod", np.nanprod, lambda x, **k: np.abs(np.nanprod(x, **k))),
    ("nanmax", np.nanmax, None),
    ("nanmin", np.nanmin, None),
    ("nanmean", np.nanmean, lambda x, **k: np.nanmean(np.abs(x), **k)),
    ("nanvar", np.nanvar, lambda x, **k: np.nanmean(x * x, **k)),
    ("nanstd", np.nanstd, lambda x, **k: np.sqrt(np.nanmean(x * x, **k))),
]
AXES = [
    (None, False),
    (0, True),
    (-1, False),
    ((0, 2), True),
    ([1, 0], False),
    ((), False),
]


def reference(fn, x, axis, keepdims):
    axis = tuple(axis) if isinstance(axis, list) else axis
    return fn(x.astype(np.float64), axis=axis, keepdims=keepdims)


@pytest.mark.parametrize("axis, keepdims", AXES, ids=str)
@pytest.mark.parametrize("name, fn, scale", REDUCTIONS, ids=[c[0] for c in REDUCTIONS])
def test_values(backend, name, fn, scale, axis, keepdims):
    actual = getattr(ops, name)(tensor(X), axis=axis, keepdims=keepdims)
    size = reference(scale, X, axis, keepdims) if scale else 0.0
    # n terms summed in any order err by at most n / 2 ULP of the sum of magnitudes.
    expected = reference(fn, X, axis, keepdims)
    check_values(actual, expected, ulp=N / 2 if scale else 0, scale=size)


@pytest.mark.parametrize("axis", [None, 0, (0, 2)], ids=str)
@pytest.mark.parametrize(
    "name, fn, scale", NAN_REDUCTIONS, ids=[c[0] for c in NAN_REDUCTIONS]
)
def test_values_without_nan(backend, name, fn, scale, axis):
    actual = getattr(ops, name)(tensor(HOLES), axis=axis, keepdims=True)
    size = reference(scale, HOLES, axis, True) if scale else 0.0
    expected = reference(fn, HOLES, axis, True)
    check_values(actual, expected, ulp=2 * N if scale else 0, scale=size)


@pytest.mark.parametrize(
    "name, value",
    [
        ("nansum", 0.0),
        ("nanprod", 1.0),
        ("nanmax", math.nan),
        ("nanmin", math.nan),
        ("nanmean", math.nan),
        ("nanvar", math.nan),
        ("nanstd", math.nan),
        ("nanargmax", -1),
        ("nanargmin", -1),
    ],
)
def test_nothing_but_nan(backend, name, value):
    x = np.full((2, 3), np.nan, np.float32)
    x[1] = 2.0
    found = host(getattr(ops, name)(tensor(x), axis=1))
    np.testing.assert_array_equal(found[0], value)
    assert np.isfinite(found[1])


def test_positions_without_nan(backend):
    x = np.array([[np.nan, -np.inf, -np.inf], [np.nan, 1, 3]], np.float32)
    assert host(ops.nanargmax(tensor(x), axis=1)).tolist() == [1, 2]
    assert host(ops.nanargmin(tensor(-x), axis=1)).tolist() == [1, 2]
    assert int(ops.nanargmax(tensor(np.array([1, 7, 7])))) == 1


@pytest.mark.parametrize("axis", [None, 0, 1], ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_positions_take_the_first_of_equals(backend, axis, keepdims):
    for name, fn in (("argmax", np.argmax), ("argmin", np.argmin)):
        actual = getattr(ops, name)(tensor(TIES), axis=axis, keepdims=keepdims)
        check_values(actual, fn(TIES, axis, keepdims=keepdims), dtype="int32")


def test_nan_spreads(backend):
    x = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, 0.0]], np.float32)
    for name in ("sum", "prod", "max", "min", "ptp"):
        assert np.isnan(host(getattr(ops, name)(tensor(x), axis=1))).all()
    assert host(ops.argmax(tensor(x), axis=1)).tolist() == [1, 0]
    assert host(ops.argmin(tensor(x), axis=1)).tolist() == [1, 0]


SUMS = {
    "bool": "int32",
    "int8": "int32",
    "uint8": "uint32",
    "int16": "int32",
    "uint16": "uint32",
    "int32": "int32",
    "uint32": "uint32",
    "int64": "int64",
    "uint64": "uint64",
    "bfloat16": "bfloat16",
    "float16": "float16",
    "float32": "float32",
    "float64": "float64",
}


@pytest.mark.parametrize("dtype", SUMS)
def test_dtypes(backend, dtype):
    x = tensor(np.array([[1, 0, 1], [1, 1, 1]]), dtype)
    for name, values in (
        ("sum", [2, 3]),
        ("prod", [0, 1]),
        ("cumsum", [[1, 1, 2], [1, 2, 3]]),
        ("cumprod", [[1, 0, 0], [1, 1, 1]]),
    ):
        check_values(getattr(ops, name)(x, axis=1), np.array(values), dtype=SUMS[dtype])
    for name, values in (("max", [1, 1]), ("min", [0, 1])):
        check_values(getattr(ops, name)(x, axis=1), np.array(values), dtype=dtype)
        check_values(
            getattr(ops, name)(x, axis=1, initial=1), np.array(values), dtype=dtype
        )
    for name, values in (("argmax", [0, 0]), ("argmin", [1, 0])):
        check_values(getattr(ops, name)(x, axis=1), np.array(values), dtype="int32")
    check_values(ops.any(x, axis=1), np.array([True, True]), dtype="bool")
    check_values(ops.all(x, axis=1), np.array([False, True]), dtype="bool")
    check_values(ops.count_nonzero(x, axis=1), np.array([2, 3]), dtype="int32")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
def test_unsigned_extremes(backend, dtype):
    top = np.iinfo(dtype).max
    x = np.array([1, top, 0], dtype)
    assert int(host(ops.max(tensor(x)))) == top
    assert int(host(ops.min(tensor(x)))) == 0
    assert int(ops.argmax(tensor(x))) == 1
    wide = np.array([top, 2], SUMS[dtype])
    with np.errstate(over="ignore"):
        check_values(ops.sum(tensor(wide)), np.add.reduce(wide, dtype=wide.dtype))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_small_floats_are_summed_wide(backend, dtype):
    # 5000 ones stall at 256 (bfloat16) or 2048 (float16) if summed in their dtype.
    x = tensor(np.ones((5000,), np.float32), dtype)
    limit = 5000 * epsilon(dtype)
    assert abs(float(host(ops.sum(x))) - 5000) <= limit
    assert abs(float(host(ops.cumsum(x))[-1]) - 5000) <= limit
    assert float(host(ops.prod(x))) == 1.0


def test_dtype_argument(backend):
    x = tensor(np.array([1, 2, 3], np.int8))
    for name, total in (("cumsum", 6), ("cumprod", 6)):
        out = getattr(ops, name)(x, dtype="float32")
        check_values(out[-1], np.float32(total), dtype="float32")
    check_values(ops.prod(x, dtype="int64"), np.int64(6), dtype="int64")


def test_nothing_to_reduce(backend):
    x = tensor(np.zeros((2, 0, 3), np.float32))
    check_values(ops.sum(x, axis=1), np.zeros((2, 3)))
    check_values(ops.prod(x, axis=1), np.ones((2, 3)))
    check_values(ops.any(x, axis=1), np.zeros((2, 3), bool))
    check_values(ops.all(x, axis=1), np.ones((2, 3), bool))
    check_values(ops.max(x, axis=1, initial=-7), np.full((2, 3), -7.0))
    check_values(ops.min(x, axis=1, initial=7, keepdims=True), np.full((2, 1, 3), 7.0))
    check_values(ops.max(x, axis=0), np.zeros((0, 3)))
    check_values(ops.cumsum(x, axis=1), np.zeros((2, 0, 3)))


@pytest.mark.parametrize("name", ["max", "min", "ptp", "argmax", "argmin"])
def test_no_value_is_an_error(backend, name):
    x = tensor(np.zeros((2, 0), np.float32))
    message = raised(ShapeError, getattr(ops, name), x, 1)
    assert "(2, 0)" in message


def test_initial_takes_part(backend):
    x = tensor(np.array([[1.0, 5.0], [7.0, 9.0]], np.float32))
    check_values(ops.max(x, axis=1, initial=6), np.array([6.0, 9.0]))
    check_values(ops.min(x, axis=1, initial=6.0), np.array([1.0, 6.0]))


@pytest.mark.parametrize("axis", [None, 0, 1, -1], ids=str)
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "nancumsum", "nancumprod"])
def test_scans(backend, name, axis):
    x = HOLES if name.startswith("nan") else X
    plain = name.removeprefix("nan")
    filled = np.where(np.isnan(x), float(plain == "cumprod"), x).astype(np.float64)
    expected = getattr(np, plain)(filled, axis)
    sizes = getattr(np, plain)(np.abs(filled), axis)
    check_values(getattr(ops, name)(tensor(x), axis=axis), expected, ulp=N, scale=sizes)


def test_diff(backend):
    for n, axis in ((0, 0), (1, 0), (2, -1), (5, 1), (9, 1)):
        expected = np.diff(X.astype(np.float64), n, axis)
        check_values(
            ops.diff(tensor(X), n, axis=axis), expected, ulp=2 * n, scale=3 * 2.0**n
        )
    flags = np.array([True, True, False])
    check_values(ops.diff(tensor(flags)), np.diff(flags), dtype="bool")


def test_trapezoid(backend):
    y, x = X.astype(np.float64), np.sort(RNG.uniform(size=5))
    kwargs = {"ulp": 20, "scale": 3.0}
    check_values(ops.trapezoid(tensor(X)), np.trapezoid(y), **kwargs)
    actual = ops.trapezoid(tensor(X), dx=0.5, axis=0)
    check_values(actual, np.trapezoid(y, dx=0.5, axis=0), **kwargs)
    actual = ops.trapezoid(tensor(X), tensor(x.astype(np.float32)))
    expected = np.trapezoid(y, x.astype(np.float32).astype(np.float64))
    check_values(actual, expected, **kwargs)


# Function, arguments; every derivative is also checked to second order.
GRADIENTS = {
    "sum": (lambda x: ops.sum(x, axis=(0, 2)), [X]),
    "sum keepdims": (lambda x: ops.square(ops.sum(x, 1, True)), [X[0]]),
    "prod": (lambda x: ops.prod(x, axis=1), [X[0, :2]]),
    "prod axes": (lambda x: ops.prod(x, axis=(0, 2)), [X[:2, :2, :2]]),
    "prod one zero": (ops.prod, [np.array([2.0, 0.0, 3.0, -1.5])]),
    "prod two zeros": (ops.prod, [np.array([0.0, 2.0, 0.0])]),
    "cumprod": (lambda x: ops.cumprod(x, axis=1), [X[0, :2]]),
    "cumprod zeros": (
        lambda x: ops.cumprod(x, axis=0),
        [np.array([2.0, 0.0, 3.0, 0.0, 1.5])],
    ),
    "cumsum": (lambda x: ops.square(ops.cumsum(x, axis=0)), [X[0, :2]]),
    "max": (lambda x: ops.square(ops.max(x, axis=1)), [X[0, :2]]),
    "min": (lambda x: ops.square(ops.min(x, axis=(0, 1))), [X[:2, :2, 0]]),
    "max initial": (lambda x: ops.square(ops.max(x, 0, initial=0.1)), [X[0, :2]]),
    "ptp": (lambda x: ops.square(ops.ptp(x)), [X[0, 0]]),
    "diff": (lambda x: ops.square(ops.diff(x, 2)), [X[0, 0]]),
    "trapezoid": (ops.trapezoid, [X[0, 0], np.sort(X[0, 1])]),
}


@pytest.mark.parametrize("case", GRADIENTS)
def test_derivatives(backend, case):
    fn, args = GRADIENTS[case]
    check_gradient(fn, [np.asarray(a, np.float64) for a in args], order=2)


def gradient(fn, x):
    out, pullback = vjp(fn, tensor(x))
    found = pullback(ops.ones_like(out))
    return host(found[0] if isinstance(found, list | tuple) else found)


def test_ties_share_the_gradient(backend):
    x = np.array([[2.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
    for fn, data in ((ops.max, x), (ops.min, -x)):
        got = gradient(lambda t, fn=fn: fn(t, axis=1), data)
        np.testing.assert_allclose(got, [[0.5, 0, 0.5], [1 / 3] * 3], rtol=1e-15)
    got = gradient(lambda t: ops.max(t, axis=1, initial=2.0), x)
    np.testing.assert_array_equal(got, [[0.25, 0, 0.25], [0, 0, 0]])


def test_nan_has_no_gradient_where_it_is_left_out(backend):
    x = np.array([1.0, np.nan, 3.0])
    for name, expected in (
        ("nansum", [1, 0, 1]),
        ("nanmean", [0.5, 0, 0.5]),
        ("nanmax", [0, 0, 1]),
        ("nanprod", [3, 0, 1]),
        ("nanvar", [-1, 0, 1]),
        ("nanstd", [-0.5, 0, 0.5]),
    ):
        got = gradient(getattr(ops, name), x)
        np.testing.assert_allclose(got, expected, rtol=1e-14, err_msg=name)


ABSTRACT = {
    "sum": lambda x: ops.sum(x, axis=(0, -1), keepdims=True),
    "prod": lambda x: ops.prod(x, axis=1),
    "max": lambda x: ops.max(x, axis=0, initial=1),
    "argmin": lambda x: ops.argmin(x, keepdims=True),
    "all": lambda x: ops.all(x, axis=2),
    "ptp": lambda x: ops.ptp(x, axis=1),
    "cumsum": ops.cumsum,
    "cumprod": lambda x: ops.cumprod(x, axis=1, dtype="float16"),
    "diff": lambda x: ops.diff(x, axis=0),
    "trapezoid": lambda x: ops.trapezoid(x, axis=1),
    "nanmean": lambda x: ops.nanmean(x, axis=1),
    "nanvar": lambda x: ops.nanvar(x, axis=(0, 1), keepdims=True),
    "nanargmax": lambda x: ops.nanargmax(x, axis=1),
    "count_nonzero": lambda x: ops.count_nonzero(x, axis=1),
}


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "bool"])
@pytest.mark.parametrize("case", ABSTRACT)
def test_abstract(backend, case, dtype):
    if case == "ptp" and dtype == "bool":
        raised(DTypeError, ops.ptp, tensor(np.ones(3, bool)))
    else:
        check_abstract(ABSTRACT[case], np.ones((2, 3, 4), dtype))


ERRORS = [
    (ArgumentError, lambda x: ops.sum(x, axis=3)),
    (ArgumentError, lambda x: ops.sum(x, axis=(0, -3))),
    (ArgumentError, lambda x: ops.prod(x, axis="rows")),
    (ArgumentError, lambda x: ops.argmax(x, axis=-4)),
    (ArgumentError, lambda x: ops.cumsum(x, axis=5)),
    (ArgumentError, lambda x: ops.diff(x, n=-1)),
    (DTypeError, lambda x: ops.max(ops.cast(x, "complex64"))),
    (DTypeError, lambda x: ops.argmin(ops.cast(x, "complex64"))),
]


@pytest.mark.parametrize("kind, call", ERRORS)
def test_errors_read_the_same_everywhere(backend, kind, call):
    message = raised(kind, call, tensor(X))
    with use_backend("numpy"):
        assert message == raised(PolykerasError, call, tensor(X))
