"""Means, variances, quantiles, correlations and distances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special
from scipy.spatial import distance

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

RNG = np.random.default_rng(11)
X = RNG.normal(size=(3, 4, 5)).astype(np.float32)
WIDE = X.astype(np.float64)
MISSING = RNG.uniform(size=X.shape) < 0.3
MISSING[0] = MISSING[:, 0] = False
HOLES = np.where(MISSING, np.nan, X).astype(np.float32)
N = X.size
AXES = [
    (None, False),
    (0, True),
    (-1, False),
    ((0, 2), True),
    ([1, 0], False),
    ((), False),
]
METHODS = ["linear", "lower", "higher", "midpoint"]


def tupled(axis):
    return tuple(axis) if isinstance(axis, list) else axis


def test_slopes_of_logsumexp_are_those_of_small_numbers(backend):
    x = tensor(np.array([20000.0, 20000.0, 19999.0], "float32"))
    _, pull = vjp(ops.logsumexp, x)
    slope = pull(tensor(np.array(1.0, "float32")))
    expected = special.softmax([1.0, 1.0, 0.0])
    np.testing.assert_allclose(host(slope), expected, rtol=4 * epsilon("float32"))


@pytest.mark.parametrize("axis, keepdims", AXES, ids=str)
def test_moments(backend, axis, keepdims):
    kwargs = {"axis": tupled(axis), "keepdims": keepdims}
    # n terms summed in any order err by at most n / 2 ULP of their magnitude.
    size = np.mean(np.abs(WIDE), **kwargs)
    square = np.mean(WIDE**2, **kwargs)
    mean, var = np.mean(WIDE, **kwargs), np.var(WIDE, **kwargs)
    x = tensor(X)
    check_values(ops.mean(x, axis, keepdims), mean, ulp=N / 2, scale=size)
    check_values(ops.var(x, axis, keepdims), var, ulp=2 * N, scale=square)
    root = np.maximum(np.sqrt(var), np.sqrt(square))
    check_values(ops.std(x, axis, keepdims), np.sqrt(var), ulp=2 * N, scale=root)
    both = ops.moments(x, axis, keepdims)
    check_values(both[0], mean, ulp=N / 2, scale=size)
    check_values(both[1], var, ulp=2 * N, scale=square)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float16"])
def test_dtypes(backend, dtype):
    x = tensor(np.array([[1, 0], [1, 1]]), dtype)
    out = dtype if dtype.startswith("float") else "float32"
    check_values(ops.mean(x, axis=1), np.array([0.5, 1.0]), dtype=out)
    check_values(ops.var(x, axis=1), np.array([0.25, 0.0]), dtype=out)
    check_values(ops.std(x, axis=1), np.array([0.5, 0.0]), dtype=out)
    check_values(ops.median(x, axis=1), np.array([0.5, 1.0]), dtype=out)
    check_values(ops.average(x, axis=0), np.array([1.0, 0.5]), dtype=out)
    check_values(ops.logsumexp(x[1]), 1 + math.log(2), dtype=out)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_small_floats_neither_overflow_nor_stall(backend, dtype):
    x = tensor(np.full((4000,), 300.0, np.float32), dtype)
    for value in (ops.mean(x), ops.moments(x, 0)[0]):
        assert abs(float(host(value)) - 300) <= 300 * epsilon(dtype)
    y = tensor(np.array([300.0, -300.0] * 100, np.float32), dtype)
    assert abs(float(host(ops.std(y))) - 300) <= 300 * epsilon(dtype)
    _, pullback = vjp(ops.var, y)
    assert np.isfinite(host(tensor(_first(pullback(ops.ones((), dtype)))))).all()


def _first(found):
    return found[0] if isinstance(found, list | tuple) else found


def test_mean_of_nothing_is_nan(backend):
    x = tensor(np.zeros((2, 0), np.float32))
    for fn in (ops.mean, ops.var, ops.std):
        assert np.isnan(host(fn(x, axis=1))).all()
    mean, var = ops.moments(x, 1)
    assert np.isnan(host(mean)).all()
    assert np.isnan(host(var)).all()
    assert host(ops.logsumexp(x, axis=1)).tolist() == [-math.inf, -math.inf]


@pytest.mark.parametrize("axis, keepdims", AXES, ids=str)
def test_logsumexp(backend, axis, keepdims):
    x = X * 100
    axes = tupled(axis)
    if axes == ():
        expected = x.astype(np.float64)
    else:
        wide = x.astype(np.float64)
        expected = special.logsumexp(wide, axis=axes, keepdims=keepdims)
    actual = ops.logsumexp(tensor(x), axis, keepdims)
    check_values(actual, expected, ulp=N, scale=1.0)


def test_logsumexp_of_infinities(backend):
    x = np.array([[-math.inf, -math.inf], [math.inf, 0], [1e30, 0]], np.float32)
    expected = [-math.inf, math.inf, float(np.float32(1e30))]
    assert host(ops.logsumexp(tensor(x), axis=1)).tolist() == expected
    _, pullback = vjp(lambda t: ops.logsumexp(t, axis=1), tensor(x[::2]))
    grad = host(_first(pullback(tensor(np.ones(2, np.float32)))))
    assert grad.tolist() == [[0.0, 0.0], [1.0, 0.0]]


def test_average(backend):
    weights = RNG.uniform(0.5, 1.5, 4).astype(np.float32)
    actual = ops.average(tensor(X), axis=1, weights=tensor(weights))
    expected = np.average(WIDE, axis=1, weights=weights.astype(np.float64))
    check_values(actual, expected, ulp=8, scale=3.0)
    whole = RNG.uniform(0.5, 1.5, X.shape).astype(np.float32)
    actual = ops.average(tensor(X), weights=tensor(whole))
    check_values(actual, np.average(WIDE, weights=whole), ulp=N, scale=1.0)
    check_values(ops.average([1, 2, 4]), 7 / 3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("axis", [None, 0, (0, 2)], ids=str)
@pytest.mark.parametrize("q", [0.3, [0.0, 0.5, 1.0], [[0.1], [0.95]]], ids=str)
def test_quantiles(backend, q, axis, method):
    for x, name in ((X, "quantile"), (HOLES, "nanquantile")):
        wide = x.astype(np.float64)
        # NumPy's own order of axes is not that of its documentation for nested q.
        expected = np.stack(
            [
                getattr(np, name)(wide, p, axis=axis, method=method, keepdims=True)
                for p in np.ravel(q)
            ]
        )
        expected = expected.reshape(np.shape(q) + expected.shape[1:])
        wanted = {"ulp": 4 * N, "scale": 3.0}
        fn = getattr(ops, name)
        check_values(fn(tensor(x), q, axis, method, True), expected, **wanted)
        if name == "quantile":
            known = tensor(np.asarray(q, np.float32))
            check_values(fn(tensor(x), known, axis, method, True), expected, **wanted)
        percent = getattr(ops, name.replace("quantile", "percentile"))
        actual = percent(tensor(x), 100 * np.asarray(q), axis, method, True)
        check_values(actual, expected, **wanted)


def test_nearest_quantile_takes_the_lower_of_two(backend):
    x = tensor(np.array([0.0, 1.0, 2.0, 3.0], np.float32))
    q = [0.0, 0.15, 0.5, 0.51, 1.0]
    for fn in (ops.quantile, ops.nanquantile):
        assert host(fn(x, q, method="nearest")).tolist() == [0, 0, 1, 2, 3]


@pytest.mark.parametrize("axis", [None, 1, (0, 1)], ids=str)
def test_medians(backend, axis):
    expected = np.median(WIDE, axis=axis)
    check_values(ops.median(tensor(X), axis=axis), expected, ulp=2)
    expected = np.nanmedian(HOLES.astype(np.float64), axis=axis)
    check_values(ops.nanmedian(tensor(HOLES), axis=axis), expected, ulp=2)
    assert np.isnan(host(ops.median(tensor(HOLES))))


def test_quantiles_of_infinite_and_missing_values(backend):
    x = np.array([-math.inf, 1.0, math.inf], np.float32)
    assert host(ops.quantile(tensor(x), [0.0, 0.5, 1.0])).tolist() == x.tolist()
    assert float(ops.nanquantile(tensor(x), 0.6, method="lower")) == 1.0
    assert np.isnan(host(ops.nanmedian(tensor(x * np.nan))))


def test_corrcoef(backend):
    x = X[0]
    kwargs = {"ulp": 40, "scale": 1.0}
    check_values(ops.corrcoef(tensor(x)), np.corrcoef(x.astype(np.float64)), **kwargs)
    check_values(ops.corrcoef(tensor(x[0])), 1.0, ulp=4)


@pytest.mark.parametrize("mode", ["valid", "same", "full"])
@pytest.mark.parametrize("m, n", [(7, 3), (3, 7), (6, 4), (4, 6), (5, 5), (1, 1)])
def test_correlate(backend, m, n, mode):
    a, b = X.reshape(-1)[:m], X.reshape(-1)[-n:]
    expected = np.correlate(a.astype(np.float64), b.astype(np.float64), mode)
    check_values(ops.correlate(tensor(a), tensor(b), mode), expected, ulp=16, scale=5.0)


def test_cdist(backend):
    x, y = X[0], X[1, :3]
    expected = distance.cdist(x.astype(np.float64), y.astype(np.float64))
    check_values(ops.cdist(tensor(x), tensor(y)), expected, ulp=8)
    assert tuple(ops.cdist(tensor(X), tensor(y)).shape) == (3, 4, 3)


def test_psnr(backend):
    error = np.mean((WIDE[0] - WIDE[1]) ** 2)
    expected = 10 * np.log10(4.0 / error)
    actual = ops.psnr(tensor(X[0]), tensor(X[1]), 2.0)
    check_values(actual, expected, ulp=40, scale=10.0)


GRADIENTS = {
    "mean": (lambda x: ops.square(ops.mean(x, axis=(0, 2))), [X[:2, :2, :2]]),
    "var": (lambda x: ops.var(x, axis=1), [X[0, :2]]),
    "std": (lambda x: ops.std(x, axis=0, keepdims=True), [X[0, :3, :2]]),
    "moments": (lambda x: ops.moments(ops.square(x), axes=[0]), [X[0, :2, :3]]),
    "logsumexp": (lambda x: ops.logsumexp(x, axis=1), [X[0, :2]]),
    "average": (lambda x, w: ops.average(x, weights=w), [X[0, 0], 1 + X[0, 1] ** 2]),
    "median": (lambda x: ops.square(ops.median(x, axis=1)), [X[0, :2]]),
    "quantile": (ops.quantile, [X[0, 0], np.array([0.3, 0.6])]),
    "nanquantile": (lambda x: ops.square(ops.nanquantile(x, 0.4)), [X[0, 0]]),
    "nanmean": (lambda x: ops.square(ops.nanmean(x, axis=1)), [X[0, :2]]),
    "nanvar": (lambda x: ops.nanvar(x, axis=1), [X[0, :2]]),
    "corrcoef": (ops.corrcoef, [X[0, :2]]),
    "correlate": (lambda a, b: ops.correlate(a, b, "full"), [X[0, 0], X[0, 1, :3]]),
    "cdist": (ops.cdist, [X[0, :2], X[1, :3]]),
    "psnr": (lambda a, b: ops.psnr(a, b, 1.0), [X[0, 0], X[0, 1]]),
}


@pytest.mark.parametrize("case", GRADIENTS)
def test_derivatives(backend, case):
    fn, args = GRADIENTS[case]
    check_gradient(fn, [np.asarray(a, np.float64) for a in args], order=2)


@pytest.mark.parametrize(
    "fn",
    [
        ops.std,
        ops.nanstd,
        lambda x: ops.sum(ops.cdist(x[None, :], x[None, :])),
    ],
    ids=["std", "nanstd", "cdist"],
)
def test_roots_of_zero_have_the_gradient_zero(backend, fn):
    _, pullback = vjp(fn, tensor(np.full(3, 2.0)))
    assert host(_first(pullback(tensor(np.ones(()))))).tolist() == [0.0, 0.0, 0.0]


ABSTRACT = {
    "mean": lambda x: ops.mean(x, axis=0),
    "var": lambda x: ops.var(x, axis=(0, 1), keepdims=True),
    "std": lambda x: ops.std(x, axis=1),
    "moments": lambda x: ops.moments(x, axes=[1]),
    "logsumexp": lambda x: ops.logsumexp(x, axis=1),
    "average": lambda x: ops.average(x, axis=1, weights=x),
    "median": lambda x: ops.median(x, axis=0),
    "quantile": lambda x: ops.quantile(x, [0.1, 0.5], axis=1, keepdims=True),
    "nanpercentile": lambda x: ops.nanpercentile(x, [10, 50], axis=0),
    "corrcoef": ops.corrcoef,
    "correlate": lambda x: ops.correlate(x[0], x[1], "same"),
    "cdist": lambda x: ops.cdist(x, x),
    "psnr": lambda x: ops.psnr(x, x, 1.0),
}


@pytest.mark.parametrize("dtype", ["float32", "float16", "int32"])
@pytest.mark.parametrize("case", ABSTRACT)
def test_abstract(backend, case, dtype):
    x = np.arange(12).reshape(4, 3).astype(dtype)
    check_abstract(ABSTRACT[case], x)


ERRORS = [
    (ArgumentError, lambda x: ops.mean(x, axis=3)),
    (ArgumentError, lambda x: ops.var(x, axis=(1, 1))),
    (ArgumentError, lambda x: ops.moments(x, axes=[-4])),
    (ShapeError, lambda x: ops.average(x, axis=0, weights=[1.0, 2.0])),
    (ArgumentError, lambda x: ops.quantile(x, 1.5)),
    (ArgumentError, lambda x: ops.quantile(x, 0.5, method="best")),
    (DTypeError, lambda x: ops.median(ops.cast(x, "complex64"))),
    (ShapeError, lambda x: ops.median([])),
    (ShapeError, ops.corrcoef),
    (ShapeError, lambda x: ops.correlate(x, x)),
    (ArgumentError, lambda x: ops.correlate(x[0, 0], x[0, 0], "all")),
    (ShapeError, lambda x: ops.cdist(x, x[:, :, :2])),
    (ShapeError, lambda x: ops.psnr(x, x[0], 1.0)),
]


@pytest.mark.parametrize("kind, call", ERRORS)
def test_errors_read_the_same_everywhere(backend, kind, call):
    message = raised(kind, call, tensor(X))
    with use_backend("numpy"):
        assert message == raised(PolykerasError, call, tensor(X))
