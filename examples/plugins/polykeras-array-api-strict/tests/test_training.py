"""A forward-only library trains, through polykeras' tape."""

import os

import array_api_strict
import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.datasets import digits, mnist


@pytest.fixture(autouse=True)
def strict():
    with keras.use_backend("array-api-strict"):
        yield


def train(data, epochs):
    """Return a trained network of two dense layers and its test accuracy."""
    (x, y), (x_test, y_test) = data
    x, x_test = (a.reshape(len(a), -1).astype("float32") / a.max() for a in (x, x_test))
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
    model, accuracy = train(digits.load_data(), epochs=30)
    assert type(model.layers[0].kernel.value) is type(array_api_strict.zeros(()))
    assert accuracy > 0.93


def test_the_weights_are_those_of_numpy():
    model, _ = train(digits.load_data(), epochs=1)
    with keras.use_backend("numpy"):
        reference, _ = train(digits.load_data(), epochs=1)
    for found, expected in zip(
        model.get_weights(), reference.get_weights(), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@pytest.mark.skipif("POLYKERAS_DATA_DIR" not in os.environ, reason="MNIST is not here")
def test_mnist():
    assert train(mnist.load_data(), epochs=1)[1] > 0.9
