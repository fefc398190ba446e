"""Training recurrent models gives the same losses on every backend."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend, get_backend, use_backend
from polykeras.layers import GRU, LSTM, Bidirectional, Dense, Embedding

LAYERS = {
    "lstm": lambda: LSTM(4, dropout=0.25, seed=1),
    "stepped": lambda: LSTM(4, recurrent_dropout=0.25, seed=1),
    "both ways": lambda: Bidirectional(GRU(3)),
}


def _losses(name: str) -> list[float]:
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(0)
    x = rng.integers(1, 12, (12, 6)).astype("int32")
    for i, row in enumerate(x):
        row[6 - i % 4 :] = 0
    y = (x[:, 0] % 2).astype("float32")
    layers: list[Any] = [Embedding(12, 5, mask_zero=True), LAYERS[name]()]
    model = keras.Sequential([*layers, Dense(1, activation="sigmoid")])
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss="binary_crossentropy")
    history = model.fit(x, y, batch_size=12, epochs=3, shuffle=False, verbose=0)
    return history.history["loss"]


@functools.cache
def _reference(name: str) -> list[float]:
    with use_backend(get_backend("numpy")):
        return _losses(name)


@pytest.mark.parametrize("name", LAYERS)
def test_masked_losses_agree(backend: Backend, name: str) -> None:
    losses = _losses(name)
    assert losses[2] < losses[0]
    # A few hundred roundings of float32 on the way, relative to losses below 1.
    np.testing.assert_allclose(losses, _reference(name), rtol=0, atol=2e-5)
