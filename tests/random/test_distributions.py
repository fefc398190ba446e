"""Values, moments and errors of the distributions.

Statistical bounds are five standard errors of the statistic, or the Kolmogorov
distance exceeded by chance once in 10**6; seeds are fixed, so a test that passes
once passes always.
"""

import math

import numpy as np
import pytest

from polykeras import dtypes, ops, random
from polykeras.autodiff import vjp
from polykeras.backend import use_backend
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from polykeras.ops.random_normal import NORMAL_ULPS, erfinv_portable, random_normal

stats = pytest.importorskip("scipy.stats")
special = pytest.importorskip("scipy.special")

N = 20_000
KOLMOGOROV = 2.7 / math.sqrt(N)
FLOATS = ("float16", "bfloat16", "float32", "float64")


def host(x):
    return ops.convert_to_numpy(x)


def ulps(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return np.abs(a.astype(np.float64) - b) / np.spacing(np.abs(b))


# -- continuous ------------------------------------------------------------------

CONTINUOUS = {
    "uniform": (lambda s: random.uniform((N,), seed=s), stats.uniform()),
    "uniform_range": (
        lambda s: random.uniform((N,), -3.0, 5.0, seed=s),
        stats.uniform(-3, 8),
    ),
    "normal": (lambda s: random.normal((N,), seed=s), stats.norm()),
    "normal_64": (lambda s: random.normal((N,), 2, 3, "float64", s), stats.norm(2, 3)),
    "truncated": (
        lambda s: random.truncated_normal((N,), 1.0, 2.0, seed=s),
        stats.truncnorm(-2, 2, 1, 2),
    ),
    "gamma_0.3": (lambda s: random.gamma((N,), 0.3, seed=s), stats.gamma(0.3)),
    "gamma_1": (lambda s: random.gamma((N,), 1.0, seed=s), stats.gamma(1)),
    "gamma_7.5": (lambda s: random.gamma((N,), 7.5, seed=s), stats.gamma(7.5)),
    "beta_2_3": (lambda s: random.beta((N,), 2.0, 3.0, seed=s), stats.beta(2, 3)),
    "beta_small": (lambda s: random.beta((N,), 0.4, 0.3, seed=s), stats.beta(0.4, 0.3)),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_distribution(name):
    draw, law = CONTINUOUS[name]
    with use_backend("numpy"):
        x = draw(17).astype(np.float64)
    assert stats.kstest(x, law.cdf).statistic < KOLMOGOROV
    assert abs(x.mean() - law.mean()) < 5 * law.std() / math.sqrt(N)
    # The variance of a sample variance, by the fourth moment.
    kurtosis = float(law.stats("k"))
    error = law.var() * math.sqrt((kurtosis + 2) / N)
    assert abs(x.var() - law.var()) < 5 * error


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_agrees_across_backends(backend, name):
    draw, law = CONTINUOUS[name]
    with use_backend("numpy"):
        expected = draw(17)
    result = host(draw(17))
    assert result.dtype == expected.dtype
    if name.startswith("uniform"):
        np.testing.assert_array_equal(result, expected)
    elif name in ("normal", "normal_64"):
        # An affine map may cancel: the bound is in units of the largest term.
        unit = np.spacing(np.maximum(np.abs(expected), float(law.std())))
        assert np.all(np.abs(result - expected) <= 2 * NORMAL_ULPS * unit)
    else:
        eps = np.finfo(expected.dtype).eps
        np.testing.assert_allclose(result, expected, rtol=200 * eps, atol=20 * eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normals_agree_to_the_stated_bound(backend, dtype):
    key = np.array([1, 2], np.uint32)
    with use_backend("numpy"):
        expected = random_normal(key, (N,), dtype)
    eager = random_normal(key, (N,), dtype)
    assert ulps(host(eager), expected).max() <= NORMAL_ULPS
    compiled = backend.compile(lambda k: random_normal(k, (N,), dtype))
    result = host(compiled(ops.convert_to_tensor(key)))
    assert result.dtype == dtype
    assert ulps(result, expected).max() <= NORMAL_ULPS


@pytest.mark.parametrize("dtype, bound", [("float32", 8), ("float64", 8)])
def test_inverse_error_function(backend, dtype, bound):
    half = np.concatenate(
        [np.geomspace(1e-6, 0.9, 500), 1 - np.geomspace(1e-7, 0.1, 500)]
    )
    x = np.concatenate([-half, half]).astype(dtype)
    exact = special.erfinv(x.astype(np.float64))
    result = host(erfinv_portable(x))
    assert (
        np.abs(result - exact) / np.spacing(np.abs(exact).astype(dtype))
    ).max() <= bound


def test_uniform_range_is_bit_identical_when_compiled(backend):
    key = np.array([1, 2], np.uint32)
    with use_backend("numpy"):
        expected = random.uniform((N,), -0.05, 0.13, seed=key)
    compiled = backend.compile(lambda k: random.uniform((N,), -0.05, 0.13, seed=k))
    result = host(compiled(ops.convert_to_tensor(key)))
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "draw",
    [
        random.uniform,
        random.normal,
        random.truncated_normal,
        lambda shape, dtype, seed: random.gamma(shape, 2.0, dtype, seed),
        lambda shape, dtype, seed: random.beta(shape, 2.0, 2.0, dtype, seed),
        lambda shape, dtype, seed: random.binomial(shape, 5, 0.5, dtype, seed),
    ],
)
def test_dtype_and_shape(backend, draw, dtype):
    x = draw((2, 3), dtype=dtype, seed=1)
    assert ops.dtype(x) == dtype
    assert tuple(x.shape) == (2, 3)
    assert np.all(np.isfinite(host(x).astype(np.float64)))
    assert tuple(draw((), dtype=dtype, seed=1).shape) == ()
    assert tuple(draw((0, 2), dtype=dtype, seed=1).shape) == (0, 2)


def test_truncated_normal_stays_inside(backend):
    x = host(random.truncated_normal((N,), seed=3))
    assert np.abs(x).max() <= 2.0


def test_parameters_broadcast(backend):
    mean = np.array([0.0, 100.0], np.float32)
    x = host(random.normal((500, 2), mean, 1.0, seed=1))
    np.testing.assert_allclose(x.mean(0), mean, atol=5 / math.sqrt(500))
    y = host(random.uniform((500, 2), mean, mean + 1, seed=1))
    assert np.all((y >= mean) & (y <= mean + 1))


# -- discrete --------------------------------------------------------------------


def test_randint_covers_its_range_evenly(backend):
    x = host(random.randint((N,), -2, 3, seed=5))
    assert x.dtype == np.int32
    counts = np.bincount(x + 2, minlength=5)
    assert counts.size == 5
    assert stats.chisquare(counts).pvalue > 1e-6


@pytest.mark.parametrize(
    "dtype, low, high",
    [
        ("int8", -100, 100),
        ("uint8", 10, 250),
        ("int32", -(2**31), 2**31 - 1),
        ("uint32", 5, 2**32 - 1),
        ("int64", -5, 2**31),
    ],
)
def test_randint_dtypes(backend, dtype, low, high):
    with use_backend("numpy"):
        expected = random.randint((500,), low, high, dtype, 3)
    x = host(random.randint((500,), low, high, dtype, 3))
    assert x.dtype == dtype
    assert x.astype(object).min() >= low
    assert x.astype(object).max() < high
    np.testing.assert_array_equal(x, expected)


def test_randint_takes_tensor_bounds(backend):
    low = np.array([0, 10], np.int32)
    x = host(random.randint((100, 2), low, low + 3, seed=1))
    assert np.all((x >= low) & (x < low + 3))


def test_shuffle_is_a_permutation_and_identical(backend):
    x = np.arange(60).reshape(20, 3)
    with use_backend("numpy"):
        expected = random.shuffle(x, seed=2)
    result = host(random.shuffle(x, seed=2))
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(np.sort(result[:, 0]), x[:, 0])
    columns = host(random.shuffle(x, axis=-1, seed=2))
    np.testing.assert_array_equal(np.sort(columns, axis=1), x)


def test_categorical_frequencies(backend):
    p = np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]])
    x = host(random.categorical(np.log(p), N // 4, seed=8))
    assert x.shape == (2, N // 4)
    assert x.dtype == np.int32
    for row, law in zip(x, p, strict=True):
        counts = np.bincount(row, minlength=3)
        assert stats.chisquare(counts, law * row.size).pvalue > 1e-6


def test_categorical_never_draws_the_impossible(backend):
    logits = np.array([[0.0, -np.inf, 0.0]], np.float32)
    assert 1 not in host(random.categorical(logits, 500, seed=8))


BINOMIAL = [(1, 0.3), (10, 0.5), (30, 0.9), (100, 0.05), (100, 0.5), (5000, 0.98)]


@pytest.mark.parametrize("count, p", BINOMIAL)
def test_binomial(count, p):
    with use_backend("numpy"):
        x = random.binomial((N,), count, p, seed=9).astype(np.int64)
    law = stats.binom(count, p)
    values = np.arange(law.ppf(1e-4), law.ppf(1 - 1e-4) + 1)
    # Where fewer than five are expected, neighbours are counted together.
    edges = [values[0]]
    for v in values[1:]:
        if (
            N * (law.cdf(v - 1) - law.cdf(edges[-1] - 1)) >= 5
            and N * law.sf(v - 1) >= 5
        ):
            edges.append(v)
    bins = np.array([*edges, np.inf])
    bins[0] = -np.inf
    seen = np.histogram(x, bins)[0]
    expected = N * np.diff(np.r_[0, law.cdf(bins[1:-1] - 1), 1])
    if len(seen) > 1:
        assert stats.chisquare(seen, expected).pvalue > 1e-6
    assert abs(x.mean() - law.mean()) < 5 * law.std() / math.sqrt(N)


def test_binomial_edges(backend):
    counts = np.array([0.0, 7.0, 7.0, 1000.0], np.float32)
    p = np.array([0.5, 0.0, 1.0, 1.0], np.float32)
    x = host(random.binomial((50, 4), counts, p, seed=1))
    np.testing.assert_array_equal(x, np.tile([0, 0, 7, 1000], (50, 1)))


@pytest.mark.parametrize("name", ["gamma", "beta", "binomial"])
def test_rejection_compiles(backend, name):
    draw = {
        "gamma": lambda k: random.gamma((200,), 0.7, seed=k),
        "beta": lambda k: random.beta((200,), 0.7, 2.0, seed=k),
        "binomial": lambda k: random.binomial((200,), 60, 0.4, seed=k),
    }[name]
    key = random.draw_seed(4)
    eager, compiled = host(draw(key)), host(backend.compile(draw)(key))
    # log and exp of the compiled and the eager library differ in the last places.
    np.testing.assert_allclose(compiled, eager, rtol=1e-4, atol=1e-6)


# -- dropout ---------------------------------------------------------------------


def test_dropout_scales_what_it_keeps(backend):
    x = np.linspace(1, 2, N, dtype=np.float32)
    y = host(random.dropout(x, 0.25, seed=3))
    kept = y != 0
    np.testing.assert_allclose(y[kept], x[kept] / np.float32(0.75), rtol=2e-7)
    assert abs(kept.mean() - 0.75) < 5 * math.sqrt(0.25 * 0.75 / N)


@pytest.mark.parametrize("dtype", FLOATS)
def test_dropout_masks_are_identical(backend, dtype):
    ones = np.ones((7, 9), dtypes.as_numpy_dtype(dtype))
    with use_backend("numpy"):
        expected = random.dropout(ones, 0.4, seed=5)
    y = random.dropout(ones, 0.4, seed=5)
    assert ops.dtype(y) == dtype
    np.testing.assert_array_equal(host(y), expected)


def test_dropout_noise_shape(backend):
    x = np.ones((50, 4, 3), np.float32)
    y = host(random.dropout(x, 0.5, noise_shape=(None, 1, 3), seed=1))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    assert set(np.unique(y)) == {0.0, 2.0}


def test_dropout_removes_nan(backend):
    x = np.full(200, np.nan, np.float32)
    y = host(random.dropout(x, 0.5, seed=1))
    assert set(np.unique(y[~np.isnan(y)])) == {0.0}
    assert 0 < np.isnan(y).sum() < 200


def test_dropout_at_rate_zero_returns_the_inputs(backend):
    x = np.array([1.0, np.inf], np.float32)
    np.testing.assert_array_equal(host(random.dropout(x, 0.0, seed=1)), x)


def test_dropout_gradient_is_the_mask(backend):
    x = ops.convert_to_tensor(np.linspace(1, 2, 12, dtype=np.float32).reshape(3, 4))
    out, pull = vjp(lambda x: random.dropout(x, 0.5, seed=3), x)
    grad = pull(ops.ones_like(x))
    grad = grad[0] if isinstance(grad, tuple | list) else grad
    np.testing.assert_array_equal(host(grad), np.where(host(out) != 0, 2.0, 0.0))


# -- errors ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, kind, part",
    [
        (lambda: random.uniform((2,), dtype="int32"), DTypeError, "randint"),
        (lambda: random.normal((2,), dtype="int32"), DTypeError, "floating"),
        (lambda: random.randint((2,), 0, 5, "float32"), DTypeError, "integer"),
        (lambda: random.randint((2,), 5, 5), ArgumentError, "minval < maxval"),
        (lambda: random.categorical([0.0, 1.0], 2), ShapeError, "batch, classes"),
        (lambda: random.dropout([1.0], 1.0), ArgumentError, "rate"),
        (lambda: random.dropout([1], 0.5), DTypeError, "floating-point"),
        (
            lambda: random.dropout([1.0, 2.0], 0.5, noise_shape=(3,)),
            ShapeError,
            r"noise_shape=\(3,\)",
        ),
    ],
)
def test_wrong_arguments_are_named(backend, call, kind, part):
    with pytest.raises(kind, match=part):
        call()
