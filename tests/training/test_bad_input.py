"""Mistakes of users: a clear error, the same on every backend, and nothing changed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from tests.training._models import X, Y, linear


def classifier(**compiled: Any) -> keras.Sequential:
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", **compiled)
    return model


def state(model: Any) -> list[np.ndarray]:
    return [v.numpy() for v in [*model.weights, *model.optimizer.variables]]


def assert_unchanged(before: list[np.ndarray], model: Any) -> None:
    # The optimizer makes its slots when it first sees the model: they are zeros.
    after = state(model)
    for a, b in zip(before, after, strict=False):
        np.testing.assert_array_equal(a, b)
    for fresh in after[len(before) :]:
        assert not fresh.any()


def test_layers_that_do_not_fit_name_both_and_the_shapes(backend: Backend) -> None:
    x = keras.Input((3,))
    x = keras.layers.Dense(5, name="first")(x)
    built = keras.layers.Dense(2, name="second")
    built.build((None, 4))
    with pytest.raises(ShapeError) as caught:
        built(x)
    for part in ("'second'", "'first'", "(None, 5)", "4"):
        assert part in str(caught.value)


def test_inputs_of_another_shape(backend: Backend) -> None:
    model = linear()
    before = state(model)
    with pytest.raises(ShapeError, match=r"\(None, 3\), but got \(\d+, 4\)"):
        model.fit(np.ones((8, 4)), np.ones(8), verbose=0)
    with pytest.raises(ValueError, match=r"\(None, 3\), but got \(8, 4\)"):
        model(np.ones((8, 4)))
    assert_unchanged(before, model)


def test_wrong_dtype_or_rank_to_a_layer(backend: Backend) -> None:
    with pytest.raises(ShapeError, match=r"rank|axes|dimension"):
        keras.layers.Dense(2)(np.ones((), "float32"))
    with pytest.raises(ShapeError, match=r"expected 3 axes, found 2"):
        keras.layers.Conv1D(2, 2)(np.ones((2, 2), "float32"))
    with pytest.raises(DTypeError, match="<U1"):
        keras.layers.Dense(2)(np.array([["a", "b"]]))


@pytest.mark.parametrize("labels", [[0, 1, 4], [-1, 2, 3]])
def test_labels_out_of_range(backend: Backend, labels: list[int]) -> None:
    model = classifier()
    y = np.resize(labels, 20)
    x = X.copy()
    before = state(model)
    message = (
        rf"from 0 to 3, because the predictions have 4 classes; got numbers from "
        rf"{min(labels)} to {max(labels)}"
    )
    for call in (
        lambda: model.fit(x, y, verbose=0),
        lambda: model.evaluate(x, y, verbose=0),
        lambda: model.train_on_batch(x, y),
        lambda: model.fit(iter([(x, y)]), verbose=0),
        lambda: model.test_on_batch(x, y),
    ):
        with pytest.raises(ArgumentError, match=message):
            call()
    assert_unchanged(before, model)


def test_a_label_that_does_not_count_may_be_anything(backend: Backend) -> None:
    model = classifier()
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=255)
    model.compile("sgd", loss)
    y = np.resize([0, 3, 255], 20)
    assert np.isfinite(model.evaluate(X, y, verbose=0))
    with pytest.raises(ArgumentError, match="numbers from 0 to 4"):
        model.evaluate(X, np.resize([0, 4, 255], 20), verbose=0)


def test_targets_of_another_shape_change_nothing(backend: Backend) -> None:
    model = classifier()
    before = state(model)
    with pytest.raises(ShapeError, match=r"\(20, 2\)"):
        model.fit(X, np.zeros((20, 2), int), verbose=0)
    model.compile("adam", "mse", metrics=["mae"])
    before = state(model)
    with pytest.raises(ShapeError, match=r"y_true has shape \(20, 3\)"):
        model.fit(X, X, verbose=0)
    assert_unchanged(before, model)


def test_a_metric_that_fails_changes_nothing(backend: Backend) -> None:
    model = classifier(metrics=[keras.metrics.MeanAbsoluteError()])
    before = state(model)
    with pytest.raises(ShapeError, match="y_true has shape"):
        model.fit(X, np.zeros((20,), int), verbose=0)
    assert_unchanged(before, model)


def test_an_optimizer_of_another_model(backend: Backend) -> None:
    first = linear()
    first.fit(X, Y, verbose=0)
    second = linear(optimizer=first.optimizer)
    kept = second.get_weights()
    with pytest.raises(ArgumentError, match="keeps slots for the variables of one"):
        second.fit(X, Y, verbose=0)
    for a, b in zip(kept, second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    first.fit(X, Y, verbose=0)


def test_wrong_keys_of_inputs(backend: Backend) -> None:
    inputs = {k: keras.Input((3,), name=k) for k in ("left", "right")}
    output = keras.layers.Dense(1)(inputs["left"] + inputs["right"])
    model = keras.Model(inputs, output)
    model.compile("sgd", "mse")
    with pytest.raises(
        ArgumentError, match=r"\['left', 'right'\].*\['left', 'rigth'\]"
    ):
        model.fit({"left": X, "rigth": X}, Y, verbose=0)
    model.fit({"left": X, "right": X}, Y, verbose=0)


def test_a_generator_that_raises(backend: Backend) -> None:
    closed: list[bool] = []

    def batches() -> Iterator[Any]:
        try:
            yield X[:8], Y[:8]
            raise RuntimeError("no more disk")
        finally:
            closed.append(True)

    model, expected = linear(), linear()
    with pytest.raises(RuntimeError, match="no more disk"):
        model.fit(batches(), verbose=0)
    assert closed == [True]
    expected.train_on_batch(X[:8], Y[:8])
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.fit(X, Y, verbose=0)


@pytest.fixture
def keyboard() -> Iterator[None]:
    """Python's own handler of Ctrl-C, also where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("keyboard")
def test_ctrl_c_leaves_a_usable_model(backend: Backend) -> None:
    handler = signal.getsignal(signal.SIGINT)
    model, expected = linear(), linear()

    def press(batch: int, logs: Any) -> None:
        if batch == 1:
            os.kill(os.getpid(), signal.SIGINT)

    watch = keras.callbacks.LambdaCallback(on_train_batch_begin=press)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, 8, epochs=3, shuffle=False, verbose=0, callbacks=[watch])
    assert signal.getsignal(signal.SIGINT) is handler
    # The step at work is finished; no later one begins.
    for part in (slice(0, 8), slice(8, 16)):
        expected.train_on_batch(X[part], Y[part])
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.fit(X, Y, verbose=0)


@pytest.mark.usefixtures("keyboard")
def test_ctrl_c_twice_does_not_wait() -> None:
    def stuck() -> Iterator[Any]:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        yield X, Y

    model = linear()
    with pytest.raises(KeyboardInterrupt):
        model.fit(stuck(), verbose=0)
    assert "train" not in model._steps
