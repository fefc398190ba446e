"""`CategoryEncoding`, `Discretization`, `Hashing`, `HashedCrossing`."""

import json

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.errors import ArgumentError, PolykerasError, ShapeError
from polykeras.layers.preprocessing._fingerprints import farm_fingerprint
from polykeras.registry import deserialize_keras_object, serialize_keras_object


def rows(x):
    return ops.convert_to_numpy(x).tolist()


def again(layer):
    data = json.loads(json.dumps(serialize_keras_object(layer)))
    return deserialize_keras_object(data)


# -- CategoryEncoding --------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "data", "expected"),
    [
        ("one_hot", [3, 2, 0], [[0, 0, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0]]),
        ("one_hot", [[3], [2]], [[0, 0, 0, 1], [0, 0, 1, 0]]),
        ("one_hot", [[3, 9]], [[[0, 0, 0, 1], [0, 0, 0, 0]]]),
        (
            "multi_hot",
            [[0, 1], [0, 0], [3, 1]],
            [[1, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 1]],
        ),
        ("multi_hot", [0, 2], [1, 0, 1, 0]),
        ("count", [[0, 1, 1], [3, 3, 3]], [[1, 2, 0, 0], [0, 0, 0, 3]]),
    ],
)
def test_encoding(backend, mode, data, expected):
    layer = layers.CategoryEncoding(num_tokens=4, output_mode=mode)
    for x in (np.array(data), np.array(data, "float32")):
        assert rows(layer(x)) == expected
    assert layer.compute_output_shape(np.shape(data)) == np.shape(expected)
    assert rows(backend.compile(layer)(ops.convert_to_tensor(data))) == expected
    assert rows(again(layer)(np.array(data))) == expected


def test_count_weights(backend):
    layer = layers.CategoryEncoding(num_tokens=4, output_mode="count")
    weights = np.array([[0.1, 0.2], [0.1, 0.1], [0.2, 0.3], [0.2, 0.2]])
    found = layer(np.array([[0, 1], [0, 0], [1, 2], [3, 1]]), count_weights=weights)
    expected = [[0.1, 0.2, 0, 0], [0.2, 0, 0, 0], [0, 0.2, 0.3, 0], [0, 0.2, 0, 0.2]]
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-6)
    with pytest.raises(ShapeError, match=r"\(1, 2\).*\(1, 1\)"):
        layer(np.array([[1]]), count_weights=np.array([[0.1, 0.2]]))
    with pytest.raises(ArgumentError, match="need output_mode='count'"):
        layers.CategoryEncoding(4)(np.array([[1]]), count_weights=np.array([[0.1]]))


def test_wrong_encodings():
    with pytest.raises(ArgumentError, match="positive int num_tokens, got None"):
        layers.CategoryEncoding()
    with pytest.raises(ArgumentError, match="Did you mean 'one_hot'"):
        layers.CategoryEncoding(3, output_mode="onehot")


# -- Discretization ----------------------------------------------------------------


def test_given_boundaries(backend):
    layer = layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])
    data = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]])
    assert rows(layer(data)) == [[0, 2, 3, 1], [1, 3, 2, 1]]
    assert rows(again(layer)(data)) == [[0, 2, 3, 1], [1, 3, 2, 1]]
    found = backend.compile(layer)(ops.convert_to_tensor(data.astype("float32")))
    assert rows(found) == [[0, 2, 3, 1], [1, 3, 2, 1]]
    assert rows(layer(np.array([[-1, 5]]))) == [[0, 3]]


def test_adapted_boundaries():
    layer = layers.Discretization(num_bins=4)
    data = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]])
    layer.adapt(data)
    assert rows(layer(data)) == [[0, 2, 3, 2], [1, 3, 3, 1]]
    assert rows(again(layer)(data)) == [[0, 2, 3, 2], [1, 3, 3, 1]]
    values = np.random.default_rng(0).normal(size=1000)
    layer.adapt(iter([values[:300], values[300:]]))
    counts = np.bincount(ops.convert_to_numpy(layer(values)))
    assert max(counts) - min(counts) <= 2


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_tables_of_intervals(backend, mode):
    layer = layers.Discretization([0.0, 1.0], output_mode=mode)
    found = layer(np.array([[-1.0], [0.5], [7.0]]))
    np.testing.assert_array_equal(ops.convert_to_numpy(found), np.eye(3))


def test_wrong_discretizations():
    with pytest.raises(ArgumentError, match="either bin_boundaries or num_bins"):
        layers.Discretization()
    with pytest.raises(ArgumentError, match="must rise"):
        layers.Discretization([1.0, 0.0])
    with pytest.raises(PolykerasError, match="no boundaries yet"):
        layers.Discretization(num_bins=3)(np.ones(2))
    with pytest.raises(ArgumentError, match="cannot adapt"):
        layers.Discretization([1.0]).adapt(np.ones(2))


# -- hashes ------------------------------------------------------------------------

LETTERS = [["A"], ["B"], ["C"], ["D"], ["E"]]


@pytest.mark.parametrize(
    ("arguments", "data", "expected"),
    [
        ({}, LETTERS, [1, 0, 1, 1, 2]),
        ({"mask_value": ""}, [["A"], ["B"], [""], ["C"], ["D"]], [1, 1, 0, 2, 2]),
        ({"salt": [133, 137]}, LETTERS, [1, 2, 1, 0, 2]),
        ({"salt": 133}, LETTERS, [0, 0, 2, 1, 0]),
    ],
)
def test_hashing_as_documented_by_keras(backend, arguments, data, expected):
    layer = layers.Hashing(num_bins=3, **arguments)
    assert rows(layer(data)) == [[n] for n in expected]
    assert rows(again(layer)(data)) == [[n] for n in expected]
    assert layer(keras.Input((1,), dtype="string")).shape == (None, 1)


@pytest.mark.parametrize("jit_compile", ["auto", True])
def test_models_hash_numbers_in_every_step(backend, jit_compile):
    x = np.arange(12).reshape(12, 1)
    hashing = layers.Hashing(num_bins=50)
    model = keras.Sequential([keras.Input((1,), dtype="int32"), hashing])
    model.compile(loss="mse", jit_compile=jit_compile)
    wanted = hashing(x)
    np.testing.assert_array_equal(model.predict(x, batch_size=4, verbose=0), wanted)
    np.testing.assert_array_equal(model(x), wanted)
    assert model.evaluate(x, wanted, batch_size=4, verbose=0) == 0


def test_hashing_to_tables():
    layer = layers.Hashing(num_bins=3, output_mode="one_hot")
    np.testing.assert_array_equal(
        ops.convert_to_numpy(layer(LETTERS)), np.eye(3)[[1, 0, 1, 1, 2]]
    )
    assert rows(layers.Hashing(9)(np.array([7]))) == rows(layers.Hashing(9)(["7"]))


@pytest.mark.parametrize("cls", [layers.Hashing, layers.HashedCrossing])
def test_numbers_of_bins_are_integers(cls):
    assert cls(3).dtype == "int32"
    assert cls(3, dtype="int64").dtype == "int64"
    assert cls(3, output_mode="one_hot").dtype == "float32"
    with pytest.raises(ArgumentError, match="'int64', got 'float32'"):
        cls(3, dtype="float32")


def test_fingerprints_of_all_lengths():
    """FarmHash takes other paths up to 0, 3, 7, 16, 32, 64 bytes, and beyond."""
    known = {
        0: 0x9AE16A3B2F90404F,
        3: 0x2AE60479E555325C,
        5: 0x3C6A7AC171EE9228,
        12: 0x208903A063284843,
        20: 0x7241CE1F8EF74DC4,
        40: 0xEBF8E8AEAC993C94,
        100: 0x5B7616B854568A1F,
    }
    assert {n: farm_fingerprint(b"x" * n) for n in known} == known


def test_crossing(backend):
    features = (np.array(list("ABABA")), np.array([101, 101, 101, 102, 102]))
    layer = layers.HashedCrossing(num_bins=5)
    assert rows(layer(features)) == [1, 4, 1, 1, 3]
    table = layers.HashedCrossing(num_bins=5, output_mode="one_hot")
    np.testing.assert_array_equal(
        ops.convert_to_numpy(table(features)), np.eye(5)[[1, 4, 1, 1, 3]]
    )
    inputs = [keras.Input((1,), dtype="string"), keras.Input((1,), dtype="int32")]
    assert again(table)(inputs).shape == (None, 5)
    with pytest.raises(ShapeError, match="features of one shape"):
        layer((features[0], features[1][:2]))
    with pytest.raises(ArgumentError, match="at least two"):
        layer(features[0])
