"""Drive callbacks with made-up logs, without training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import polykeras as keras


def model() -> keras.Sequential:
    """Return a compiled model of one weight."""
    made = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    made.compile(keras.optimizers.SGD(1.0), "mse")
    return made


def run(callback: Any, values: Sequence[float], name: str = "val_loss") -> list[Any]:
    """Report a value for each epoch until the callback stops training.

    The weight is the number of the epoch. Returns the learning rate after each.
    """
    watched = model()
    callback.set_model(watched)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        watched.set_weights([np.full((1, 1), epoch)])
        callback.on_epoch_end(epoch, {"loss": 9.0, name: value})
        rates.append(float(watched.optimizer.learning_rate))
        if watched.stop_training:
            break
    callback.on_train_end()
    return rates
