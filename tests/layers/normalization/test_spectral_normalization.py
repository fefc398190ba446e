"""`SpectralNormalization`: the kernel's largest singular value becomes 1."""

import json

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.errors import ArgumentError
from polykeras.registry import deserialize_keras_object, serialize_keras_object

X = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")


def test_norm_becomes_one(backend):
    layer = layers.SpectralNormalization(layers.Dense(3), power_iterations=30)
    layer(X)
    layer(X, training=True)
    kernel = layer.layer.get_weights()[0]
    assert np.linalg.norm(kernel, 2) == pytest.approx(1.0, abs=1e-4)
    before = kernel.copy()
    layer(X)
    np.testing.assert_array_equal(layer.layer.get_weights()[0], before)


def test_training_and_config(backend):
    layer = layers.SpectralNormalization(layers.Conv1D(2, 2), name="sn")
    model = keras.Sequential([keras.Input((6, 1)), layer, layers.Flatten()])
    assert [v.shape for v in model.non_trainable_variables] == [(1, 2)]
    model.compile("sgd", "mse")
    model.fit(X[..., None], np.zeros((4, 10)), verbose=0)
    assert np.isfinite(model.evaluate(X[..., None], np.zeros((4, 10)), verbose=0))
    again = deserialize_keras_object(
        json.loads(json.dumps(serialize_keras_object(layer)))
    )
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(
        ops.convert_to_numpy(again(X[..., None])),
        ops.convert_to_numpy(layer(X[..., None])),
    )


def test_layers_without_a_kernel():
    with pytest.raises(ArgumentError, match="has neither"):
        layers.SpectralNormalization(layers.Flatten()).build((None, 3))
    with pytest.raises(ArgumentError, match="positive int power_iterations, got 0"):
        layers.SpectralNormalization(layers.Dense(2), 0)
