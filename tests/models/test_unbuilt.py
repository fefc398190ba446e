"""Models whose input shape is not known yet."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.errors import StateError


def test_weights_of_an_unbuilt_model_say_how_to_build_it(backend: Backend) -> None:
    model = keras.Sequential([keras.layers.Dense(2)])
    for read in (model.get_weights, model.count_params, lambda: model.weights):
        with pytest.raises(StateError, match="has no weights yet"):
            read()
    with pytest.raises(StateError, match="has no weights yet"):
        model.set_weights([np.ones((3, 2)), np.ones(2)])
    assert not model.built
    model.build((None, 3))
    assert [w.shape for w in model.get_weights()] == [(3, 2), (2,)]


def test_fit_builds_it(backend: Backend) -> None:
    model = keras.Sequential([keras.layers.Dense(2), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones(4), verbose=0)
    assert [w.shape for w in model.get_weights()] == [(3, 2), (2,), (2, 1), (1,)]


def test_layers_without_weights_have_none(backend: Backend) -> None:
    assert keras.layers.Activation("relu").weights == []
    model = keras.Sequential([keras.Input((3,)), keras.layers.Activation("relu")])
    assert model.get_weights() == []
