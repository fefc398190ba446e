"""Two models of 50 layers, to compare on several engines and to run on one.

``polykeras compare benchmarks/_deep_models.py:dense`` compares one of them;
``POLYKERAS_BACKEND=torch python benchmarks/_deep_models.py dense`` runs it plainly:
outputs, then a training step.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import polykeras as keras
from polykeras import layers

__all__ = ["BATCH", "convolutional", "data", "dense"]

BATCH = 32
_DEPTH = 50


def dense() -> Any:
    """Return a stack of small dense layers with normalization."""
    stack: list[Any] = []
    for _ in range(16):
        stack.append(layers.Dense(256))
        stack.append(layers.LayerNormalization())
        stack.append(layers.Activation("relu"))
    stack += [layers.Dense(64), layers.Dense(10)]
    return _compiled((256,), stack, "sgd", "mse")


def convolutional() -> Any:
    """Return a classifier of images."""
    stack: list[Any] = []
    for filters in (32, 64, 128):
        for _ in range(4):
            stack.append(layers.Conv2D(filters, 3, padding="same", use_bias=False))
            stack.append(layers.BatchNormalization())
            stack.append(layers.Activation("relu"))
        stack.append(layers.MaxPooling2D(2))
    stack.append(layers.Flatten())
    for units in (256, 128):
        stack.append(layers.Dense(units))
        stack.append(layers.LayerNormalization())
        stack.append(layers.Activation("gelu"))
        stack.append(layers.Dropout(0.2))
    stack += [layers.Dense(10), layers.Softmax()]
    return _compiled((32, 32, 3), stack, "adam", "sparse_categorical_crossentropy")


def data(model: Any) -> tuple[Any, Any]:
    """Return a batch for one of the models, and its targets."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, *model.input_shape[1:])).astype("float32")
    if model.loss == "mse":
        return x, np.zeros((BATCH, *model.output_shape[1:]), "float32")
    return x, rng.integers(0, model.output_shape[-1], BATCH).astype("int32")


def _compiled(
    shape: tuple[int, ...], stack: list[Any], optimizer: str, loss: str
) -> Any:
    assert len(stack) == _DEPTH
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(shape), *stack])
    model.compile(optimizer, loss)
    return model


def _main(name: str) -> None:
    model = {"dense": dense, "convolutional": convolutional}[name]()
    x, y = data(model)
    model.predict(x, batch_size=BATCH, verbose=0)
    model.fit(x, y, batch_size=BATCH, verbose=0)


if __name__ == "__main__":
    _main(*sys.argv[1:])
