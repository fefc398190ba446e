"""predict fills its last batch up where samples do not depend on each other."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.backend import Backend
from polykeras.training._samples import samples_apart

X = np.random.default_rng(0).normal(size=(20, 4, 4)).astype("float32")
# Products of at most 16 terms through three layers, in float32.
TOLERANCE = 3 * 16 * np.finfo("float32").eps


def stack(*inner: Any) -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((4, 4)), *inner])


APART = {
    "dense": lambda: stack(layers.Dense(3), layers.BatchNormalization()),
    "recurrent": lambda: stack(layers.LSTM(3), layers.Dropout(0.5)),
    "nested": lambda: stack(stack(layers.Conv1D(2, 2)), layers.Flatten()),
    "einsum": lambda: stack(layers.EinsumDense("abc,cd->abd", (4, 2))),
}
TOGETHER = {
    "axis": lambda: stack(layers.Softmax(axis=0)),
    "axis from behind": lambda: stack(layers.UnitNormalization(axis=-3)),
    "lambda": lambda: stack(layers.Lambda(lambda x: x - ops.mean(x, 0))),
    "partial": lambda: stack(
        layers.Activation(functools.partial(keras.activations.softmax, axis=0))
    ),
}


def op_over_samples() -> keras.Model:
    x = keras.Input((4, 4))
    return keras.Model(x, x - ops.mean(x, axis=0, keepdims=True))


@pytest.mark.parametrize("name", APART)
def test_one_program_serves_the_last_batch(backend: Backend, name: str) -> None:
    model = APART[name]()
    assert samples_apart(model)
    whole = model.predict(X, batch_size=20, verbose=0)
    before = model._steps["predict"].traces
    for _ in range(2):
        got = model.predict(X[:18], batch_size=8, verbose=0)
        np.testing.assert_allclose(got, whole[:18], TOLERANCE, TOLERANCE)
    if backend.capabilities.compile and not backend.capabilities.eager:
        assert model._steps["predict"].traces - before == 1


@pytest.mark.parametrize("name", ["op", *TOGETHER])
def test_models_that_may_mix_samples_get_them_as_they_are(
    backend: Backend, name: str
) -> None:
    model = op_over_samples() if name == "op" else TOGETHER[name]()
    assert not model._samples_apart()
    got = model.predict(X[:11], batch_size=8, verbose=0)
    parts = [model.predict_on_batch(X[:8]), model.predict_on_batch(X[8:11])]
    np.testing.assert_allclose(got, np.concatenate(parts), TOLERANCE, TOLERANCE)


def test_an_own_step_or_state_is_not_filled_up(backend: Backend) -> None:
    class Own(keras.Sequential):
        def predict_step(self, data: Any) -> Any:
            return super().predict_step(data)

    model = Own([keras.Input((4, 4)), layers.Dense(2)])
    assert not model._samples_apart()
    stateful = keras.Sequential(
        [keras.Input((4, 4), batch_size=4), layers.GRU(2, stateful=True)]
    )
    assert not stateful._samples_apart()
    assert not samples_apart(keras.Sequential([layers.Dense(2)]))


def test_callbacks_see_the_outputs_of_the_samples_only(backend: Backend) -> None:
    seen: list[Any] = []
    watch = keras.callbacks.LambdaCallback()
    watch.on_predict_batch_end = lambda batch, logs: seen.append(
        np.shape(logs["outputs"])
    )
    stack(layers.Dense(2)).predict(X, batch_size=8, verbose=0, callbacks=[watch])
    assert seen == [(8, 4, 2), (8, 4, 2), (4, 4, 2)]
