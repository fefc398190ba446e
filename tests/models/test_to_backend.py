"""A model moved to another engine goes on where it stood."""

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.backend import get_backend
from tests.conftest import BACKENDS

PAIRS = [(a, b) for a in BACKENDS for b in BACKENDS]
X = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5], [0.0]], "float32")) ** 2
# Float32 rounding, grown by the few updates made here.
RTOL = 2e-4


def make():
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, activation="tanh"),
            layers.Dropout(0.3),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


def train(model, epochs):
    history = model.fit(X, Y, batch_size=8, epochs=epochs, shuffle=False, verbose=0)
    return history.history["loss"]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_training_goes_on_identically(source, target):
    with keras.use_backend(source):
        model = make()
        train(model, 2)
        moved = model.to_backend(target)
        assert moved.backend.name == target
        assert model.backend.name == source
        for a, b in zip(model.get_weights(), moved.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        slots = zip(model.optimizer.variables, moved.optimizer.variables, strict=True)
        for a, b in slots:
            assert b.backend is get_backend(target)
            np.testing.assert_array_equal(a.numpy(), b.numpy())
        assert int(moved.optimizer.iterations) == int(model.optimizer.iterations) == 8
        # From outside of any block for the target: a model enters its own backend.
        stayed, went = train(model, 2), train(moved, 2)
    np.testing.assert_allclose(went, stayed, rtol=RTOL)
    for a, b in zip(model.get_weights(), moved.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, rtol=RTOL, atol=1e-5)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_metrics_and_seeds_move_along(source, target):
    with keras.use_backend(source):
        model = make()
        model.train_on_batch(X[:8], Y[:8])
        moved = model.to_backend(target)
        logs = model.train_on_batch(X[8:16], Y[8:16], return_dict=True)
        moved_logs = moved.train_on_batch(X[8:16], Y[8:16], return_dict=True)
    assert set(logs) == set(moved_logs)
    for name, value in logs.items():
        np.testing.assert_allclose(moved_logs[name], value, rtol=1e-5)


def test_moving_leaves_the_original_alone():
    with keras.use_backend("numpy"):
        model = make()
        train(model, 1)
        before = model.get_weights()
        moved = model.to_backend(BACKENDS[-1])
        train(moved, 1)
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_unknown_backend_changes_nothing():
    with keras.use_backend("numpy"):
        model = make()
        with pytest.raises(keras.errors.BackendNotFound, match="'tensorflow'"):
            model.to_backend("tensorflow")
        assert model.backend.name == "numpy"


def test_models_of_two_backends_take_turns():
    losses = {}
    models = {}
    for name in BACKENDS:
        with keras.use_backend(name):
            models[name] = make()
            losses[name] = []
    for _ in range(2):
        for name, model in models.items():
            losses[name] += train(model, 1)
    for name in BACKENDS[1:]:
        np.testing.assert_allclose(losses[name], losses[BACKENDS[0]], rtol=RTOL)


def test_models_of_two_backends_train_in_two_threads():
    from concurrent.futures import ThreadPoolExecutor

    def run(name):
        with keras.use_backend(name):
            model = keras.Sequential(
                [keras.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(1)]
            )
            model.set_weights(
                [np.full(w.shape, 0.1, w.dtype) for w in model.get_weights()]
            )
            model.compile("sgd", "mse")
            return name, model.backend.name, train(model, 2)

    names = [BACKENDS[0], BACKENDS[-1]]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, names))
    assert [r[:2] for r in results] == [(n, n) for n in names]
    np.testing.assert_allclose(results[0][2], results[1][2], rtol=RTOL)
