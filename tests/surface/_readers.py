"""What tests of readers' code share: a line to fit, and its data."""

from __future__ import annotations

import numpy as np

from polykeras import Input, Sequential, layers, ops

X = np.linspace(-1, 1, 24, dtype="float32").reshape(8, 3)
Y = X.sum(axis=1)


def line(**compiled):
    model = Sequential([Input((3,)), layers.Dense(1)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compiled})
    return model


def values(x):
    return ops.convert_to_numpy(x)
