"""MLX differentiates and trains what NumPy does, to the same accuracy."""

import os

import mlx.core as mx
import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.datasets import digits, mnist


def train(backend, data, epochs):
    """Return a trained network of two dense layers and its test accuracy."""
    (x, y), (x_test, y_test) = data
    x, x_test = (a.reshape(len(a), -1).astype("float32") / a.max() for a in (x, x_test))
    with keras.use_backend(backend):
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input(x.shape[1:]),
                layers.Dense(64, activation="relu"),
                layers.Dropout(0.1),
                layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x, y, batch_size=128, epochs=epochs, verbose=0)
        return model, model.evaluate(x_test, y_test, verbose=0)[1]


def test_digits():
    model, accuracy = train("mlx", digits.load_data(), epochs=30)
    assert type(model.layers[0].kernel.value) is mx.array
    assert accuracy > 0.93


def test_the_weights_are_those_of_numpy():
    found, expected = (
        train(backend, digits.load_data(), epochs=1)[0].get_weights()
        for backend in ("mlx", "numpy")
    )
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)


def test_operators_take_variables_on_either_side():
    with keras.use_backend("mlx"):
        x, v = mx.array([1.0, 2.0]), keras.Variable([3.0, 5.0])
        assert (x * v).tolist() == (v * x).tolist() == [3.0, 10.0]
        assert (x - v).tolist() == [-2.0, -3.0]


@pytest.mark.skipif("POLYKERAS_DATA_DIR" not in os.environ, reason="MNIST is not here")
def test_mnist():
    data = mnist.load_data()
    ours, theirs = (train(name, data, epochs=1)[1] for name in ("mlx", "numpy"))
    assert ours > 0.9
    assert abs(ours - theirs) < 0.005
