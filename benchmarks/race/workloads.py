"""The models of the race, written once against the API that Keras and polykeras share.

Each workload takes the module to build with, ``polykeras`` or ``keras``, so both run
this very file. Native contenders get the same data and the same first weights.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["HEADS", "WORKLOADS", "Weights", "Workload"]

Array = np.ndarray[Any, np.dtype[Any]]
# Name of a layer to its arrays, in the order of `layer.get_weights()`.
Weights = dict[str, list[Array]]

HEADS = 4
_CLASSES = 10
_VOCABULARY = 1000
_LENGTH = 64
_WIDTH = 128


@dataclass(frozen=True)
class Workload:
    """A model and data to train it on.

    Args:
        name: For the table.
        build: Takes a Keras-like module, returns an uncompiled model.
        shapes: Name of each layer to the shapes of its weights.
        sample: Shape of one sample.
        batch: Samples in a step.
        steps: Steps in a measured epoch.
        vocabulary: Samples are integers below this; 0 means floats.
        regression: Whether targets are one number; otherwise class numbers.
        image: Whether convolutions do the work.
    """

    name: str
    build: Callable[[Any], Any]
    shapes: dict[str, list[tuple[int, ...]]]
    sample: tuple[int, ...]
    batch: int
    steps: int
    vocabulary: int = 0
    regression: bool = False
    image: bool = False

    def data(self) -> tuple[Array, Array]:
        """Return samples and targets of one epoch."""
        rng = np.random.default_rng(0)
        count = self.batch * self.steps
        if self.vocabulary:
            x = rng.integers(0, self.vocabulary, (count, *self.sample)).astype("int32")
        else:
            x = rng.random((count, *self.sample), dtype=np.float32)
        if self.regression:
            return x, x.mean(1, keepdims=True)
        return x, rng.integers(0, _CLASSES, (count,)).astype("int32")

    def weights(self) -> Weights:
        """Return the first weights of every layer that has some."""
        rng = np.random.default_rng(1)
        return {
            name: [_draw(rng, name, i, shape) for i, shape in enumerate(shapes)]
            for name, shapes in self.shapes.items()
        }

    def compiled(self, keras: Any) -> Any:
        """Return the model with the first weights, ready to train."""
        model = self.build(keras)
        for name, arrays in self.weights().items():
            model.get_layer(name).set_weights(arrays)
        loss = "mse"
        if not self.regression:
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer="adam", loss=loss)
        return model


def _draw(
    rng: np.random.Generator, layer: str, place: int, shape: tuple[int, ...]
) -> Array:
    if layer.startswith("norm"):
        # Scale, offset, moving mean, moving variance.
        return np.full(shape, float(place in {0, 3}), np.float32)
    if len(shape) == 1 or shape == (HEADS, _WIDTH // HEADS):
        return np.zeros(shape, np.float32)
    width = 1 / math.sqrt(math.prod(shape) / shape[-1])
    return rng.uniform(-width, width, shape).astype(np.float32)


# -- perceptrons -------------------------------------------------------------------


def _perceptron(*sizes: int) -> Callable[[Any], Any]:
    def build(keras: Any) -> Any:
        layers = [keras.Input((sizes[0],))]
        for i, units in enumerate(sizes[1:]):
            last = i == len(sizes) - 2
            activation = None if last else "relu"
            layers.append(
                keras.layers.Dense(units, activation=activation, name=f"dense{i}")
            )
        return keras.Sequential(layers)

    return build


def _dense_shapes(*sizes: int) -> dict[str, list[tuple[int, ...]]]:
    pairs = itertools.pairwise(sizes)
    return {f"dense{i}": [(m, n), (n,)] for i, (m, n) in enumerate(pairs)}


# -- convolutions ------------------------------------------------------------------


def _cnn(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu", name="conv0"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu", name="conv1"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(_CLASSES, name="dense"),
        ]
    )


_STAGES = ((16, 16, 1), (16, 32, 2), (32, 64, 2))


def _resnet(keras: Any) -> Any:
    layers = keras.layers

    def block(x: Any, i: int, filters: int, stride: int) -> Any:
        def convolution(x: Any, part: str, size: int, stride: int) -> Any:
            x = layers.Conv2D(
                filters,
                size,
                strides=stride,
                padding="same",
                use_bias=False,
                name=f"conv{i}{part}",
            )(x)
            return layers.BatchNormalization(name=f"norm{i}{part}")(x)

        y = layers.ReLU()(convolution(x, "a", 3, stride))
        y = convolution(y, "b", 3, 1)
        if stride > 1:
            x = convolution(x, "c", 1, stride)
        return layers.ReLU()(layers.Add()([x, y]))

    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(16, 3, padding="same", use_bias=False, name="conv")(inputs)
    x = layers.ReLU()(layers.BatchNormalization(name="norm")(x))
    for i, (_, filters, stride) in enumerate(_STAGES):
        x = block(x, i, filters, stride)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(_CLASSES, name="dense")(x))


def _resnet_shapes() -> dict[str, list[tuple[int, ...]]]:
    found: dict[str, list[tuple[int, ...]]] = {
        "conv": [(3, 3, 3, 16)],
        "norm": [(16,)] * 4,
    }
    for i, (n, m, stride) in enumerate(_STAGES):
        found[f"conv{i}a"] = [(3, 3, n, m)]
        found[f"conv{i}b"] = [(3, 3, m, m)]
        if stride > 1:
            found[f"conv{i}c"] = [(1, 1, n, m)]
        for part in "abc" if stride > 1 else "ab":
            found[f"norm{i}{part}"] = [(m,)] * 4
    return found | {"dense": [(64, _CLASSES), (_CLASSES,)]}


# -- sequences ---------------------------------------------------------------------


def _lstm(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((_LENGTH,), dtype="int32"),
            layers.Embedding(_VOCABULARY, 32, name="embedding"),
            layers.LSTM(64, name="lstm"),
            layers.Dense(_CLASSES, name="dense"),
        ]
    )


def _transformer(keras: Any) -> Any:
    layers = keras.layers
    inputs = keras.Input((_LENGTH,), dtype="int32")
    x = layers.Embedding(_VOCABULARY, _WIDTH, name="embedding")(inputs)
    for i in range(2):
        attention = layers.MultiHeadAttention(
            HEADS, _WIDTH // HEADS, name=f"attention{i}"
        )
        norm = layers.LayerNormalization(epsilon=1e-6, name=f"norm{i}a")
        x = norm(layers.Add()([x, attention(x, x)]))
        y = layers.Dense(4 * _WIDTH, activation="relu", name=f"dense{i}a")(x)
        y = layers.Dense(_WIDTH, name=f"dense{i}b")(y)
        norm = layers.LayerNormalization(epsilon=1e-6, name=f"norm{i}b")
        x = norm(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(_CLASSES, name="dense")(x))


def _transformer_shapes() -> dict[str, list[tuple[int, ...]]]:
    depth = _WIDTH // HEADS
    found: dict[str, list[tuple[int, ...]]] = {"embedding": [(_VOCABULARY, _WIDTH)]}
    for i in range(2):
        projection = [(_WIDTH, HEADS, depth), (HEADS, depth)]
        found[f"attention{i}"] = [*projection * 3, (HEADS, depth, _WIDTH), (_WIDTH,)]
        found[f"norm{i}a"] = [(_WIDTH,)] * 2
        found[f"dense{i}a"] = [(_WIDTH, 4 * _WIDTH), (4 * _WIDTH,)]
        found[f"dense{i}b"] = [(4 * _WIDTH, _WIDTH), (_WIDTH,)]
        found[f"norm{i}b"] = [(_WIDTH,)] * 2
    return found | {"dense": [(_WIDTH, _CLASSES), (_CLASSES,)]}


WORKLOADS = {
    w.name: w
    for w in (
        Workload(
            "mlp_small",
            _perceptron(784, 512, _CLASSES),
            _dense_shapes(784, 512, _CLASSES),
            sample=(784,),
            batch=128,
            steps=40,
        ),
        Workload(
            "mlp_tiny",
            _perceptron(20, 32, 32, 1),
            _dense_shapes(20, 32, 32, 1),
            sample=(20,),
            batch=32,
            steps=200,
            regression=True,
        ),
        Workload(
            "cnn",
            _cnn,
            {
                "conv0": [(3, 3, 1, 32), (32,)],
                "conv1": [(3, 3, 32, 64), (64,)],
                "dense": [(1600, _CLASSES), (_CLASSES,)],
            },
            sample=(28, 28, 1),
            batch=128,
            steps=4,
            image=True,
        ),
        Workload(
            "lstm",
            _lstm,
            {
                "embedding": [(_VOCABULARY, 32)],
                "lstm": [(32, 256), (64, 256), (256,)],
                "dense": [(64, _CLASSES), (_CLASSES,)],
            },
            sample=(_LENGTH,),
            batch=32,
            steps=20,
            vocabulary=_VOCABULARY,
        ),
        Workload(
            "transformer",
            _transformer,
            _transformer_shapes(),
            sample=(_LENGTH,),
            batch=16,
            steps=4,
            vocabulary=_VOCABULARY,
        ),
        Workload(
            "resnet",
            _resnet,
            _resnet_shapes(),
            sample=(32, 32, 3),
            batch=32,
            steps=6,
            image=True,
        ),
    )
}
