"""Initializers: values, sameness on every backend, configs, names."""

import json
import math

import numpy as np
import pytest

from polykeras import initializers, ops, random
from polykeras.backend import use_backend
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from polykeras.initializers import compute_fans
from polykeras.ops._abstract import Spec, evaluate

DRAWN = {
    "RandomNormal": initializers.RandomNormal(seed=1),
    "RandomUniform": initializers.RandomUniform(seed=1),
    "TruncatedNormal": initializers.TruncatedNormal(seed=1),
    "VarianceScaling": initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=1),
    "Untruncated": initializers.VarianceScaling(
        distribution="untruncated_normal", seed=1
    ),
    "GlorotUniform": initializers.GlorotUniform(seed=1),
    "GlorotNormal": initializers.GlorotNormal(seed=1),
    "HeUniform": initializers.HeUniform(seed=1),
    "HeNormal": initializers.HeNormal(seed=1),
    "LecunUniform": initializers.LecunUniform(seed=1),
    "LecunNormal": initializers.LecunNormal(seed=1),
    "Orthogonal": initializers.Orthogonal(2.0, seed=1),
}
FIXED = {
    "Zeros": initializers.Zeros(),
    "Ones": initializers.Ones(),
    "Constant": initializers.Constant([1.0, 2.0, 3.0, 4.0]),
    "Identity": initializers.Identity(0.5),
    "STFT": initializers.STFT("imag", "hamming", "spectrum", True),
}
CASES = {**DRAWN, **FIXED}


def host(x):
    return ops.convert_to_numpy(x)


def shape_of(name):
    return (8, 1, 5) if name == "STFT" else (6, 4)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_values_are_bit_identical_on_every_backend(backend, name, dtype):
    with use_backend("numpy"):
        expected = CASES[name](shape_of(name), dtype)
    result = CASES[name](shape_of(name), dtype)
    assert backend.is_tensor(result)
    assert ops.dtype(result) == dtype
    np.testing.assert_array_equal(host(result), expected)


@pytest.mark.parametrize("name", CASES)
def test_config_round_trip(name):
    initializer = CASES[name]
    data = initializers.serialize(initializer)
    again = initializers.deserialize(json.loads(json.dumps(data)))
    assert type(again) is type(initializer)
    assert data["module"] == "keras.initializers"
    assert again.get_config() == initializer.get_config()
    shape = shape_of(name)
    np.testing.assert_array_equal(host(again(shape)), host(initializer(shape)))
    assert repr(initializer).startswith(f"<{type(initializer).__name__}")


@pytest.mark.parametrize("name", DRAWN)
def test_shape_inference_draws_nothing(name):
    spec = evaluate(lambda: DRAWN[name]((6, 4), "float16"), [])
    assert isinstance(spec, Spec)
    assert (spec.shape, spec.dtype) == ((6, 4), "float16")


# mean 0, and the variance of each, for the fans of (300, 200).
VARIANCES = {
    "RandomNormal": 0.05**2,
    "RandomUniform": 0.1**2 / 12,
    "TruncatedNormal": (0.05 * 0.87962566103423978) ** 2,
    "VarianceScaling": 2.0 / 200,
    "Untruncated": 1.0 / 300,
    "GlorotUniform": 2.0 / 500,
    "GlorotNormal": 2.0 / 500,
    "HeUniform": 2.0 / 300,
    "HeNormal": 2.0 / 300,
    "LecunUniform": 1.0 / 300,
    "LecunNormal": 1.0 / 300,
}


@pytest.mark.parametrize("name", VARIANCES)
def test_moments(name):
    with use_backend("numpy"):
        x = DRAWN[name]((300, 200), "float64")
    n, variance = x.size, VARIANCES[name]
    # Five standard errors; no kurtosis here is above the normal's.
    assert abs(x.mean()) < 5 * math.sqrt(variance / n)
    assert abs(x.var() - variance) < 5 * variance * math.sqrt(2 / n)


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (2, 3, 4), (3, 3, 2, 30)])
def test_orthogonal(shape):
    with use_backend("numpy"):
        w = initializers.Orthogonal(2.0, seed=4)(shape, "float64")
    matrix = w.reshape(-1, shape[-1])
    if matrix.shape[0] < matrix.shape[1]:
        matrix = matrix.T
    gram = matrix.T @ matrix
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-13)


@pytest.mark.parametrize(
    "shape, axes, fans",
    [
        ((), (None, None), (1, 1)),
        ((5,), (None, None), (5, 5)),
        ((2, 3), (None, None), (2, 3)),
        ((2, 3, 5, 7), (None, None), (30, 42)),
        ((2, 3, 5, 7), ([0], [1]), (2, 3)),
        ((2, 3, 5, 7), ([0, 1], [-2]), (6, 5)),
    ],
)
def test_fans(shape, axes, fans):
    assert compute_fans(shape, *axes) == fans


def test_uniform_limits():
    with use_backend("numpy"):
        x = initializers.GlorotUniform(seed=2)((40, 60))
    limit = math.sqrt(6 / 100)
    assert 0.99 * limit < np.abs(x).max() <= limit


def test_identity_and_constant(backend):
    np.testing.assert_array_equal(
        host(initializers.Identity(3.0)((2, 3))), 3 * np.eye(2, 3)
    )
    x = initializers.Constant(7)((2,), "int64")
    assert ops.dtype(x) == "int64"
    np.testing.assert_array_equal(host(x), [7, 7])


def test_stft_is_a_fourier_transform():
    frame = np.random.default_rng(0).normal(size=8)
    with use_backend("numpy"):
        parts = [
            initializers.STFT(side, None, None)((8, 1, 5), "float64")[:, 0]
            for side in ("real", "imag")
        ]
    found = frame @ parts[0] + 1j * (frame @ parts[1])
    np.testing.assert_allclose(found, np.fft.rfft(frame), atol=1e-13)


def test_one_instance_repeats_itself_and_a_generator_does_not(backend):
    unseeded = initializers.GlorotUniform()
    np.testing.assert_array_equal(host(unseeded((3, 3))), host(unseeded((3, 3))))
    assert unseeded.get_config()["seed"] is None
    fed = initializers.GlorotUniform(random.SeedGenerator(1))
    assert not np.array_equal(host(fed((3, 3))), host(fed((3, 3))))
    again = initializers.deserialize(initializers.serialize(fed))
    np.testing.assert_array_equal(
        host(again((3, 3))), host(initializers.GlorotUniform(1)((3, 3)))
    )


def test_unseeded_initializers_follow_the_global_seed():
    def values():
        random.set_random_seed(3)
        with use_backend("numpy"):
            return [initializers.get("he_normal")((2, 2)).tolist() for _ in range(2)]

    first = values()
    assert values() == first
    assert first[0] != first[1]


@pytest.mark.parametrize("name", sorted(initializers.ALL))
def test_every_name_is_found(name):
    found = initializers.get(name)
    assert type(found) is initializers.ALL[name]


def test_get_takes_what_keras_takes():
    assert initializers.get(None) is None
    ones = initializers.Ones()
    assert initializers.get(ones) is ones
    assert isinstance(initializers.get(initializers.Ones), initializers.Ones)
    config = {"class_name": "Constant", "config": {"value": 2.0}}
    assert initializers.get(config).value == 2.0

    def custom(shape, dtype=None):
        return ops.ones(shape, dtype)

    assert initializers.get(custom) is custom


@pytest.mark.parametrize(
    "call, kind, part",
    [
        (lambda: initializers.get("glorot_unifrom"), ArgumentError, "glorot_uniform"),
        (lambda: initializers.get(3), ArgumentError, "initializer"),
        (lambda: initializers.Identity()((2,)), ShapeError, "matrices"),
        (lambda: initializers.Orthogonal()((2,)), ShapeError, "two axes"),
        (lambda: initializers.Constant([1, 2])((3,)), ShapeError, "broadcast"),
        (lambda: initializers.HeNormal()((2,), "int32"), DTypeError, "floating"),
        (lambda: initializers.VarianceScaling(0.0), ArgumentError, "positive"),
        (lambda: initializers.VarianceScaling(1, "fan"), ArgumentError, "fan_in"),
        (
            lambda: initializers.VarianceScaling(distribution="unifrom"),
            ArgumentError,
            "uniform",
        ),
        (lambda: initializers.GlorotNormal("x"), ArgumentError, "seed"),
        (lambda: initializers.STFT("left"), ArgumentError, "side"),
    ],
)
def test_wrong_arguments_are_named(call, kind, part):
    with pytest.raises(kind, match=part):
        call()
