"""Models on several backends in one process."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend, engine_scope, get_backend
from tests.training._models import X, Y


def make(backend: str) -> keras.Sequential:
    with engine_scope(get_backend(backend)):
        keras.utils.set_random_seed(4)
        model = keras.Sequential(
            [
                keras.Input((3,)),
                keras.layers.Dense(5, activation="tanh"),
                keras.layers.Dropout(0.3),
                keras.layers.Dense(1),
            ]
        )
        model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


def train(model: keras.Sequential) -> dict[str, list[float]]:
    return model.fit(X, Y, batch_size=8, epochs=2, verbose=0).history


def alone(backend: str) -> tuple[list[dict[str, list[float]]], list[np.ndarray]]:
    model = make(backend)
    return [train(model), train(model)], model.get_weights()


def in_turns(first: str, second: str) -> list[keras.Sequential]:
    models = [make(first), make(second)]
    for model in models * 2:
        train(model)
    return models


def in_threads(first: str, second: str) -> list[keras.Sequential]:
    models = [make(first), make(second)]
    failures: list[BaseException] = []

    def work(model: keras.Sequential) -> None:
        try:
            train(model)
            train(model)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(m,)) for m in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    return models


@pytest.mark.parametrize("how", [in_turns, in_threads])
def test_models_do_not_disturb_each_other(
    backend: Backend, how: Callable[[str, str], list[keras.Sequential]]
) -> None:
    expected = [alone(name)[1] for name in (backend.name, "numpy")]
    for model, weights in zip(how(backend.name, "numpy"), expected, strict=True):
        for a, b in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(a, b)


def test_backends_agree_to_rounding_dropout_included(backend: Backend) -> None:
    (first, second), weights = alone(backend.name)
    (want_first, want_second), want = alone("numpy")
    for got, expected in ((first, want_first), (second, want_second)):
        assert list(got) == list(expected)
        for name, values in expected.items():
            np.testing.assert_allclose(got[name], values, rtol=1e-4)
    for a, b in zip(weights, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
