"""Random: known answers, the reference's bits, independence, state, uniformity.

Seeds are fixed, so a test that passes once passes always. Statistics are allowed what
chance exceeds once in a million.

References: Salmon et al., 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"; the
known answers of Random123 1.14 and of `jax.random` 0.10.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops, random
from polykeras.backend import REFERENCE, Array, Backend, get_backend, use_backend
from polykeras.ops.random_bits import (
    random_bits,
    random_fold_in,
    random_integers,
    random_mask,
    random_permutation,
    random_split,
    random_uniform,
)
from polykeras.ops.random_normal import NORMAL_ULPS, random_normal

KEY: Final = np.array([5, 7], np.uint32)
MANY: Final = 40_000
FLOATS: Final = ("bfloat16", "float16", "float32", "float64")

# Threefry-2x32 with 20 rounds: counter, key, result. Bits of element i are the xor of
# both words at counter (0, i), so only the first row is reached through an op.
RANDOM123: Final = ((0, 0), (0x6B200159, 0x99BA4EFE))
# jax.random.bits(wrap_key_data([5, 7]), (2, 3), "uint32") and split(..., 3).
JAX_BITS: Final = (
    (2209140761, 817127623, 2277242755),
    (2775965420, 4059072272, 2360769821),
)
JAX_SPLIT: Final = (
    (3288417655, 1202558318),
    (4071633866, 3255063309),
    (3212260180, 952943831),
)
JAX_FOLD_42: Final = (1790514220, 4098424892)

EXACT: Final[dict[str, Callable[[Any], Any]]] = {
    "bits": lambda key: random_bits(key, (3, 50)),
    "split": lambda key: random_split(key, 5),
    "fold_in": lambda key: random_fold_in(key, 11),
    "mask": lambda key: random_mask(key, (3, 50), 0.3),
    "integers": lambda key: random_integers(key, (200,), np.uint32(10)),
    "integers-wide": lambda key: random_integers(key, (200,), np.uint32(2**32 - 5)),
    "permutation": lambda key: random_permutation(key, 100),
}
DRAWS: Final[dict[str, Callable[[int], Any]]] = {
    "uniform": lambda seed: random.uniform((50,), -3.0, 5.0, seed=seed),
    "randint": lambda seed: random.randint((50,), -7, 1000, seed=seed),
    "shuffle": lambda seed: random.shuffle(np.arange(60).reshape(20, 3), seed=seed),
    "dropout": lambda seed: random.dropout(np.ones((9, 7), "float32"), 0.4, seed=seed),
}


def _host(x: Any) -> Array:
    return np.asarray(ops.convert_to_numpy(x))


def _reference(fn: Callable[[Any], Any], argument: Any) -> Array:
    with use_backend(get_backend(REFERENCE)):
        return _host(fn(argument))


def test_bits_are_those_published(backend: Backend) -> None:
    key, words = RANDOM123
    bits = _host(random_bits(np.array(key, np.uint32), (1,)))
    assert bits.dtype == np.uint32
    assert int(bits[0]) == words[0] ^ words[1]


def test_bits_are_those_of_jax(backend: Backend) -> None:
    np.testing.assert_array_equal(_host(random_bits(KEY, (2, 3))), JAX_BITS)
    np.testing.assert_array_equal(_host(random_split(KEY, 3)), JAX_SPLIT)
    np.testing.assert_array_equal(_host(random_fold_in(KEY, 42)), JAX_FOLD_42)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (2, 0, 3), (MANY,)], ids=str)
def test_bits_are_the_reference_s_in_any_shape(
    backend: Backend, shape: tuple[int, ...]
) -> None:
    def draw(key: Any) -> Any:
        return random_bits(key, shape)

    found = _host(draw(KEY))
    assert found.shape == shape
    np.testing.assert_array_equal(found, _reference(draw, KEY))


@pytest.mark.parametrize("how", ["eager", "compiled"])
@pytest.mark.parametrize("name", EXACT)
def test_bits_are_the_reference_s(backend: Backend, name: str, how: str) -> None:
    draw = EXACT[name]
    run = draw if how == "eager" else backend.compile(draw)
    found = _host(run(ops.convert_to_tensor(KEY)))
    expected = _reference(draw, KEY)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.in_declared_dtypes
@pytest.mark.parametrize("how", ["eager", "compiled"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_uniforms_are_the_reference_s(backend: Backend, dtype: str, how: str) -> None:
    def draw(key: Any) -> Any:
        return random_uniform(key, (3, 50), dtype)

    run = draw if how == "eager" else backend.compile(draw)
    found, expected = _host(run(ops.convert_to_tensor(KEY))), _reference(draw, KEY)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_the_reference_s(backend: Backend, name: str) -> None:
    found, expected = _host(DRAWS[name](3)), _reference(DRAWS[name], 3)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normals_keep_their_bound(backend: Backend, dtype: str) -> None:
    def draw(key: Any) -> Any:
        return random_normal(key, (MANY,), dtype)

    found, expected = _host(draw(KEY)), _reference(draw, KEY)
    unit = np.spacing(np.abs(expected))
    worst = float(np.max(np.abs(found.astype("float64") - expected) / unit))
    assert worst <= NORMAL_ULPS, f"normal {dtype}: {worst:.3g} ULP of {NORMAL_ULPS}"


def test_words_are_uniform(backend: Backend) -> None:
    """Each bit is set half of the time, and bytes fill 256 bins evenly."""
    bits = _host(random_bits(KEY, (MANY,)))
    share = np.unpackbits(bits.view(np.uint8).reshape(MANY, 4), axis=1).mean(0)
    # A share of n coin tosses has the standard deviation 1 / (2 sqrt n).
    assert np.max(np.abs(share - 0.5)) < 5.5 / (2 * math.sqrt(MANY))
    counts = np.bincount(bits.view(np.uint8), minlength=256)
    expected = 4 * MANY / 256
    chi_squared = float(np.sum((counts - expected) ** 2 / expected))
    # 255 degrees of freedom: mean 255, deviation sqrt(510).
    assert abs(chi_squared - 255) < 5.5 * math.sqrt(510)


@pytest.mark.in_declared_dtypes
@pytest.mark.parametrize("dtype", FLOATS)
def test_uniforms_stay_below_one(backend: Backend, dtype: str) -> None:
    x = _host(random_uniform(KEY, (MANY,), dtype)).astype("float64")
    assert x.min() >= 0
    assert x.max() < 1
    assert abs(x.mean() - 0.5) < 5.5 / math.sqrt(12 * MANY) + 2.0**-8
    in_order = np.sort(x)
    distance = np.max(np.abs(in_order - (np.arange(MANY) + 0.5) / MANY))
    # Kolmogorov's 1e-6 quantile is 2.7 / sqrt(n); bfloat16 has steps of 2**-8.
    step = 2.0**-8 if dtype == "bfloat16" else 2.0**-11
    assert distance < 2.7 / math.sqrt(MANY) + step


@pytest.mark.parametrize("pair", ["split", "fold", "next seed"])
def test_streams_are_independent(backend: Backend, pair: str) -> None:
    if pair == "split":
        first, second = _host(random_split(KEY, 2))
    elif pair == "fold":
        first, second = KEY, _host(random_fold_in(KEY, 0))
    else:
        first, second = KEY, KEY + np.array([0, 1], np.uint32)
    a, b = (
        _host(random_uniform(np.asarray(key, np.uint32), (MANY,), "float64"))
        for key in (first, second)
    )
    assert not np.any(a == b)
    # The correlation of n independent pairs has the deviation 1 / sqrt n.
    assert abs(np.corrcoef(a, b)[0, 1]) < 5.5 / math.sqrt(MANY)


def test_state_goes_round(backend: Backend) -> None:
    seed = keras.random.SeedGenerator(11)
    _host(random.uniform((3,), seed=seed))
    kept = seed.state.numpy().copy()
    following = _host(random.uniform((5,), seed=seed))
    assert not np.array_equal(seed.state.numpy(), kept)
    seed.state.assign(kept)
    np.testing.assert_array_equal(_host(random.uniform((5,), seed=seed)), following)


def test_one_call_seeds_everything(backend: Backend) -> None:
    def run() -> list[Array]:
        keras.utils.set_random_seed(5)
        layer = keras.layers.Dropout(0.5)
        ones = np.ones((4, 8), "float32")
        return [
            _host(random.normal((4,))),
            _host(layer(ones, training=True)),
            _host(keras.layers.Dense(3)(ones)),
        ]

    first, second = run(), run()
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    keras.utils.set_random_seed(6)
    assert not np.array_equal(first[0], _host(random.normal((4,))))


def test_initial_weights_are_the_reference_s(backend: Backend) -> None:
    def weights(shape: tuple[int, int]) -> Any:
        keras.utils.set_random_seed(5)
        return keras.initializers.GlorotNormal()(shape)

    np.testing.assert_array_equal(
        _host(weights((20, 30))), _reference(weights, (20, 30))
    )
