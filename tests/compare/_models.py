"""Models and faulty backends for the tests of the compare tool."""

from __future__ import annotations

import numpy as np

import polykeras as keras
from polykeras import layers
from tests.conformance._broken import Base

__all__ = ["Faulty", "batch", "convnet", "mlp"]


class Faulty(Base):
    """NumPy under another name, some of whose kernels are changed.

    Args:
        changes: Op name to a function of the right kernel and its arguments.
    """

    def __init__(self, changes=None):
        super().__init__(changes)
        self.name = "faulty"


def mlp(activation="relu", dropout=0.0):
    """Two dense layers, compiled."""
    keras.utils.set_random_seed(0)
    stack = [keras.Input((6,)), layers.Dense(5, activation=activation, name="first")]
    if dropout:
        stack.append(layers.Dropout(dropout, name="dropout"))
    model = keras.Sequential([*stack, layers.Dense(3, name="second")], name="mlp")
    model.compile("sgd", "mse")
    return model


def convnet(**norm):
    """Convolution, normalization, pooling and a classifier, compiled."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, padding="same", name="conv"),
            layers.BatchNormalization(name="norm", **norm),
            layers.Activation("relu", name="relu"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(3, name="top"),
        ],
        name="convnet",
    )
    model.compile("adam", "mse")
    return model


def batch(*shape, seed=0):
    """Normal numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype("float32")
