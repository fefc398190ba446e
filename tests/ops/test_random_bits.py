"""Known answers, and the same bits from every backend and from the composition."""

import importlib.util

import numpy as np
import pytest

from polykeras import ops
from polykeras.backend import get_backend, use_backend
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from polykeras.ops._abstract import Spec, evaluate
from polykeras.ops.random_bits import (
    random_advance,
    random_bits,
    random_fold_in,
    random_integers,
    random_mask,
    random_permutation,
    random_signed,
    random_split,
    random_uniform,
)
from polykeras.random._seed import _threefry

KEY = np.array([5, 7], np.uint32)
KEYS = [(0, 0), (5, 7), (0xFFFFFFFF, 0xFFFFFFFF), (0x13198A2E, 0x03707344)]
SHAPES = [(), (0,), (1,), (7,), (3, 5), (2, 0, 3), (40_000,)]

# Random123 1.14, kat_vectors, threefry2x32 with 20 rounds: counter, key, result.
RANDOM123 = [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    (
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x1CB996FC, 0xBB002BE7),
    ),
    (
        (0x243F6A88, 0x85A308D3),
        (0x13198A2E, 0x03707344),
        (0xC4923A9C, 0x483DF7A0),
    ),
]


def host(x):
    return ops.convert_to_numpy(x)


def reference_bits(key, count):
    """Follow the definition, one counter at a time."""
    words = (_threefry(key, (0, i)) for i in range(count))
    return np.array([a ^ b for a, b in words], np.uint32)


@pytest.mark.parametrize("counter, key, expected", RANDOM123)
def test_cipher_gives_the_published_words(counter, key, expected):
    assert _threefry(key, counter) == expected


@pytest.mark.parametrize("key", KEYS)
def test_bits_follow_the_definition(backend, key):
    bits = random_bits(np.array(key, np.uint32), (37,))
    assert ops.dtype(bits) == "uint32"
    np.testing.assert_array_equal(host(bits), reference_bits(key, 37))


def test_bits_are_those_of_jax_stored(backend):
    # jax 0.10.2: jax.random.bits(wrap_key_data([5, 7]), (2, 3), "uint32").
    expected = [
        [2209140761, 817127623, 2277242755],
        [2775965420, 4059072272, 2360769821],
    ]
    np.testing.assert_array_equal(host(random_bits(KEY, (2, 3))), expected)
    split = [
        [3288417655, 1202558318],
        [4071633866, 3255063309],
        [3212260180, 952943831],
    ]
    np.testing.assert_array_equal(host(random_split(KEY, 3)), split)
    np.testing.assert_array_equal(
        host(random_fold_in(KEY, 42)), [1790514220, 4098424892]
    )


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="compares with an installed jax"
)
@pytest.mark.parametrize("key", KEYS)
def test_bits_are_those_of_jax(backend, key):
    import jax

    words = np.array(key, np.uint32)
    theirs = jax.random.wrap_key_data(words, impl="threefry2x32")
    for shape in SHAPES:
        expected = np.asarray(jax.random.bits(theirs, shape, "uint32"))
        np.testing.assert_array_equal(host(random_bits(words, shape)), expected)
    expected = np.asarray(jax.random.key_data(jax.random.split(theirs, 9)))
    np.testing.assert_array_equal(host(random_split(words, 9)), expected)
    for data in (0, 1, 2**31 + 5, 2**32 - 1):
        expected = np.asarray(jax.random.key_data(jax.random.fold_in(theirs, data)))
        given = np.asarray(data, np.uint32)
        np.testing.assert_array_equal(host(random_fold_in(words, given)), expected)


DERIVED = {
    "bits": lambda key: random_bits(key, (3, 50)),
    "split": lambda key: random_split(key, 5),
    "fold_in": lambda key: random_fold_in(key, 11),
    "advance": random_advance,
    "uniform16": lambda key: random_uniform(key, (3, 50), "float16"),
    "uniform_bf16": lambda key: random_uniform(key, (3, 50), "bfloat16"),
    "uniform32": lambda key: random_uniform(key, (3, 50), "float32"),
    "uniform64": lambda key: random_uniform(key, (3, 50), "float64"),
    "signed32": lambda key: random_signed(key, (3, 50), "float32"),
    "signed64": lambda key: random_signed(key, (3, 50), "float64"),
    "mask": lambda key: random_mask(key, (3, 50), 0.3),
    "mask_all": lambda key: random_mask(key, (3,), 1.0),
    "mask_none": lambda key: random_mask(key, (3,), 0.0),
    "integers": lambda key: random_integers(key, (200,), np.uint32(10)),
    "integers_wide": lambda key: random_integers(key, (200,), np.uint32(2**32 - 5)),
    "integers_span": lambda key: random_integers(
        key, (2, 3), np.array([1, 2, 3_000_000_000], np.uint32)
    ),
    "permutation": lambda key: random_permutation(key, 100),
    "permutation_long": lambda key: random_permutation(key, 3000),
    "permutation_empty": lambda key: random_permutation(key, 0),
}


@pytest.mark.parametrize("name", DERIVED)
def test_everything_exact_is_equal_on_every_backend(backend, name):
    fn = DERIVED[name]
    with use_backend("numpy"):
        expected = fn(KEY)
    result = fn(KEY)
    assert ops.dtype(result) == str(expected.dtype)
    np.testing.assert_array_equal(host(result), expected)


@pytest.mark.parametrize("name", DERIVED)
def test_abstract_rule_states_shape_and_dtype(backend, name):
    key = ops.convert_to_tensor(KEY)
    result = DERIVED[name](key)
    spec = evaluate(DERIVED[name], [Spec((2,), "uint32")])
    assert (spec.shape, spec.dtype) == (tuple(result.shape), ops.dtype(result))


@pytest.mark.parametrize("name", DERIVED)
def test_composition_equals_the_kernel(name, monkeypatch):
    """A library without kernels of its own runs the compositions."""
    reference = get_backend("numpy")
    with use_backend(reference):
        expected = DERIVED[name](KEY)
        for kernel in list(reference.kernels):
            if kernel.startswith("random_"):
                monkeypatch.delitem(reference.kernels, kernel)
        with np.errstate(over="ignore"):
            result = DERIVED[name](KEY)
        for kernel in [k for k in reference.kernels if k.startswith("random_")]:
            reference.kernels.pop(kernel)
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("name", DERIVED)
def test_compiled_gives_the_same_bits(backend, name):
    fn = DERIVED[name]
    eager = host(fn(ops.convert_to_tensor(KEY)))
    compiled = backend.compile(fn)
    np.testing.assert_array_equal(host(compiled(ops.convert_to_tensor(KEY))), eager)


def test_blocks_join_without_seam(backend):
    long = host(random_bits(KEY, (140_000,)))
    short = host(random_bits(KEY, (33_000,)))
    np.testing.assert_array_equal(long[:33_000], short)
    picked = [0, 32_767, 32_768, 131_071, 131_072, 139_999]
    expected = [a ^ b for a, b in (_threefry((5, 7), (0, i)) for i in picked)]
    np.testing.assert_array_equal(long[picked], expected)


def test_counters_pass_32_bits():
    pytest.importorskip("polykeras_numpy")
    from polykeras_numpy.random import _blocks

    first = 2**32 - 3
    (_, words), (_, more) = (
        (where, block.copy()) for where, block in _blocks(KEY, 6, first)
    )
    counters = [divmod(first + i, 2**32) for i in range(6)]
    expected = [a ^ b for a, b in (_threefry((5, 7), c) for c in counters)]
    np.testing.assert_array_equal(np.concatenate([words, more]), expected)


@pytest.mark.parametrize(
    "dtype, bits", [("float16", 11), ("bfloat16", 8), ("float32", 24), ("float64", 53)]
)
def test_uniform_is_the_leading_bits(backend, dtype, bits):
    value = host(random_uniform(KEY, (4000,), dtype)).astype(np.float64)
    k = value * 2.0**bits
    assert np.all(k == np.floor(k))
    assert value.min() >= 0
    assert value.max() < 1
    if dtype == "float32":
        words = host(random_bits(KEY, (4000,)))
        np.testing.assert_array_equal(value, (words >> 8) * 2.0**-24)


def test_signed_values_are_symmetric_and_open(backend):
    value = host(random_signed(KEY, (4000,), "float32")).astype(np.float64)
    odd = value * 2.0**24
    assert np.all(odd % 2 == 1)
    assert np.abs(value).max() < 1


@pytest.mark.parametrize("span", [1, 2, 10, 2**31, 2**32 - 5])
def test_integers_are_the_scaled_fraction(backend, span):
    words = host(random_bits(KEY, (2, 300)))
    expected = [
        ((int(a) << 32 | int(b)) * span) >> 64
        for a, b in zip(*words.tolist(), strict=True)
    ]
    drawn = random_integers(KEY, (300,), np.asarray(span, np.uint32))
    np.testing.assert_array_equal(host(drawn), expected)


def test_mask_compares_bits_with_the_threshold(backend):
    words = host(random_bits(KEY, (1000,)))
    expected = words < round(0.3 * 2**32)
    np.testing.assert_array_equal(host(random_mask(KEY, (1000,), 0.3)), expected)


@pytest.mark.parametrize("num", [1, 2, 1024, 1025, 5000])
def test_permutation_holds_each_number_once(backend, num):
    order = host(random_permutation(KEY, num))
    np.testing.assert_array_equal(np.sort(order), np.arange(num))
    rows = host(random_bits(KEY, (1 if num <= 1024 else 2, num)))
    np.testing.assert_array_equal(order, np.lexsort(rows))


def test_advance_counts_and_wraps(backend):
    state = np.array([9, 2**32 - 1], np.uint32)
    np.testing.assert_array_equal(host(random_advance(state)), [9, 0])


@pytest.mark.parametrize(
    "call, kind, part",
    [
        (
            lambda: random_bits(np.zeros(3, np.uint32), (2,)),
            ShapeError,
            r"shape \(2,\)",
        ),
        (lambda: random_bits(np.zeros(2, np.int32), (2,)), DTypeError, "uint32"),
        (lambda: random_uniform(KEY, (2,), "int32"), DTypeError, "floating-point"),
        (lambda: random_mask(KEY, (2,), 1.5), ArgumentError, "probability"),
        (lambda: random_fold_in(KEY, [1, 2]), ShapeError, "one number"),
    ],
)
def test_wrong_arguments_are_named(backend, call, kind, part):
    with pytest.raises(kind, match=part):
        call()
