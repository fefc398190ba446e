"""Small models and data that the tests of training share."""

from __future__ import annotations

from typing import Any

import numpy as np

import polykeras as keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]], "float32") + 0.3).astype("float32")


def one_by_one() -> keras.callbacks.Callback:
    """Return a callback for whose sake each batch is run at once."""
    return keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_: None)


def linear(**compiled: Any) -> keras.Sequential:
    """Return a compiled affine model with the same weights each time."""
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones")]
    )
    settings: dict[str, Any] = {"optimizer": "sgd", "loss": "mse"}
    model.compile(**(settings | compiled))
    return model


def two_outputs() -> keras.Model:
    """Return a model with the outputs ``a`` and ``b``, not compiled."""
    inputs = keras.Input((3,), name="x")
    outputs = [
        keras.layers.Dense(1, kernel_initializer="ones", name=name)(inputs)
        for name in ("a", "b")
    ]
    return keras.Model(inputs, outputs)


def by_hand(x: np.ndarray, y: np.ndarray, batch: int, epochs: int) -> list[np.ndarray]:
    """Return kernel and bias of `linear` after SGD on mse, in order."""
    w, b = np.ones((3, 1)), np.zeros(1)
    for _ in range(epochs):
        for i in range(0, len(x), batch):
            xi, yi = x[i : i + batch].astype("float64"), y[i : i + batch]
            error = 2 * (xi @ w + b - yi) / len(xi)
            w, b = w - 0.01 * xi.T @ error, b - 0.01 * error.sum(0)
    return [w, b]
