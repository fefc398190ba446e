"""What the contenders of the race train: a model, its data and its first weights.

Native contenders get the same data and the same first weights as those that are written
against the public API.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.race.models import (
    Architecture,
    Convolutional,
    Perceptron,
    Recurrent,
    Shape,
    Transformer,
)
from benchmarks.race.residual import Residual, basic, bottlenecks

__all__ = ["DTYPES", "WORKLOADS", "Weights", "Workload"]

Array = np.ndarray[Any, np.dtype[Any]]
# Name of a layer to its arrays, in the order of `layer.get_weights()`.
Weights = dict[str, list[Array]]

DTYPES = ("float32", "bfloat16")


@dataclass(frozen=True)
class Workload:
    """A model and data to train it on.

    Args:
        name: For the table.
        model: Its description.
        batch: Samples in a step.
        steps: Steps in an epoch.
        epochs: In a measured `fit`.
        regression: Whether targets are one number; otherwise class numbers.
        large: Whether it is for accelerators.
        dtype: Of computation, of `DTYPES`; variables are float32.
    """

    name: str
    model: Architecture
    batch: int
    steps: int
    epochs: int = 1
    regression: bool = False
    large: bool = False
    dtype: str = "float32"

    def data(self) -> tuple[Array, Array]:
        """Return samples and targets of one epoch."""
        rng = np.random.default_rng(0)
        shape = (self.batch * self.steps, *self.model.sample)
        if self.model.vocabulary:
            x = rng.integers(0, self.model.vocabulary, shape).astype("int32")
        else:
            x = rng.random(shape, dtype=np.float32)
        if self.regression:
            return x, x.mean(1, keepdims=True)
        return x, rng.integers(0, self.model.classes, (len(x),)).astype("int32")

    def weights(self) -> Weights:
        """Return the first weights of every layer that has some."""
        rng = np.random.default_rng(1)
        return {
            name: [_draw(rng, name, i, shape) for i, shape in enumerate(shapes)]
            for name, shapes in self.model.shapes().items()
        }

    def compiled(self, keras: Any) -> Any:
        """Return the model with the first weights, ready to train.

        Args:
            keras: The module, ``polykeras`` or ``keras``.
        """
        model = self._built(keras)
        for name, arrays in self.weights().items():
            model.get_layer(name).set_weights(arrays)
        loss = "mse"
        if not self.regression:
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer="adam", loss=loss)
        return model

    def _built(self, keras: Any) -> Any:
        if self.dtype == "float32":
            return self.model.build(keras)
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(f"mixed_{self.dtype}")
        try:
            return self.model.build(keras)
        finally:
            keras.config.set_dtype_policy(before)


def _draw(rng: np.random.Generator, layer: str, place: int, shape: Shape) -> Array:
    if layer.startswith("norm"):
        # Scale, offset, moving mean, moving variance.
        return np.full(shape, float(place in {0, 3}), np.float32)
    # Every second array of attention is a bias, with an axis for the heads.
    if len(shape) == 1 or (layer.startswith("attention") and place % 2):
        return np.zeros(shape, np.float32)
    width = 1 / math.sqrt(math.prod(shape) / shape[-1])
    return rng.uniform(-width, width, shape).astype(np.float32)


WORKLOADS = {
    w.name: w
    for w in (
        Workload("mlp_small", Perceptron((784, 512, 10)), batch=128, steps=40),
        Workload(
            "mlp_tiny",
            Perceptron((20, 32, 32, 1)),
            batch=32,
            steps=200,
            regression=True,
        ),
        Workload("cnn", Convolutional(), batch=128, steps=4),
        Workload(
            "lstm",
            Recurrent(length=64, vocabulary=1000, width=32, units=64),
            batch=32,
            steps=20,
        ),
        Workload(
            "transformer",
            Transformer(layers=2, width=128, heads=4, length=64, vocabulary=1000),
            batch=16,
            steps=4,
        ),
        Workload(
            "resnet",
            Residual(32, 16, (basic(16, 1), basic(32, 2), basic(64, 2))),
            batch=32,
            steps=6,
        ),
        Workload(
            "mlp_large",
            Perceptron((784, 4096, 4096, 4096, 10)),
            batch=4096,
            steps=16,
            epochs=10,
            large=True,
        ),
        Workload(
            "resnet50",
            Residual(
                224, 64, bottlenecks((3, 4, 6, 3), 64), reduces=True, classes=1000
            ),
            batch=64,
            steps=4,
            epochs=10,
            large=True,
        ),
        # By estimate, all contenders together take 60 GB in float32.
        Workload(
            "transformer_base",
            Transformer(layers=12, width=768, heads=12, length=512, vocabulary=32000),
            batch=16,
            steps=4,
            epochs=10,
            large=True,
        ),
    )
}
