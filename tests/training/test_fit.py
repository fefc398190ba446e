"""fit: what it learns, what it reports, how often it compiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, DataError, StateError
from tests.training._models import X, Y, by_hand, linear

# Sums of at most 20 products over at most 10 steps, in float32.
TOLERANCE = 20 * 10 * np.finfo("float32").eps


def test_equals_hand_written_descent(backend: Backend) -> None:
    model = linear()
    history = model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    for got, expected in zip(model.get_weights(), by_hand(X, Y, 8, 3), strict=True):
        np.testing.assert_allclose(got, expected, rtol=TOLERANCE, atol=TOLERANCE)
    assert history.epoch == [0, 1, 2]
    assert all(type(v) is float for v in history.history["loss"])
    assert int(model.optimizer.iterations.numpy()) == 9
    assert model.history is history
    assert history.params == {"verbose": 0, "epochs": 3, "steps": 3}


def test_history_has_the_loss_first_then_metrics_as_they_were_named(
    backend: Backend,
) -> None:
    model = linear(
        metrics=["mae", "MeanSquaredError", keras.metrics.RootMeanSquaredError()],
        weighted_metrics=["mae"],
    )
    history = model.fit(X, Y, validation_split=0.25, verbose=0)
    names = [
        "loss",
        "mae",
        "MeanSquaredError",
        "root_mean_squared_error",
        "weighted_mae",
    ]
    assert list(history.history) == [*names, *(f"val_{n}" for n in names)]


@pytest.mark.parametrize("name", ["accuracy", "acc"])
@pytest.mark.parametrize("kind", ["binary", "categorical", "sparse_categorical"])
def test_accuracy_takes_the_form_of_the_output(
    backend: Backend, kind: str, name: str
) -> None:
    labels = (X[:, 0] > 0).astype("int64")
    units, activation = (1, "sigmoid") if kind == "binary" else (2, "softmax")
    y = np.eye(2, dtype="float32")[labels] if kind == "categorical" else labels
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(units, activation=activation)]
    )
    model.compile(optimizer="sgd", loss=f"{kind}_crossentropy", metrics=[name])
    logs = model.evaluate(X, y, verbose=0, return_dict=True)
    p = model.predict(X, verbose=0)
    classes = (p[:, 0] > 0.5).astype(int) if units == 1 else p.argmax(-1)
    assert list(logs) == ["loss", name]
    assert logs[name] == pytest.approx((classes == labels).mean(), abs=1e-6)


def test_validation_learns_nothing_and_obeys_its_frequency(backend: Backend) -> None:
    plain, watched = linear(), linear()
    plain.fit(X, Y, epochs=3, batch_size=5, shuffle=False, verbose=0)
    history = watched.fit(
        X,
        Y,
        epochs=3,
        batch_size=5,
        shuffle=False,
        verbose=0,
        validation_data=[X[:7], Y[:7], np.ones(7)],
        validation_freq=[1, 3],
        validation_steps=1,
        validation_batch_size=4,
    )
    for a, b in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(history.history["val_loss"]) == 2
    expected = watched.evaluate(X[:4], Y[:4], verbose=0)
    assert history.history["val_loss"][-1] == pytest.approx(expected, rel=1e-6)


def test_validation_split_holds_out_the_last_samples(backend: Backend) -> None:
    split, given = linear(), linear()
    a = split.fit(X, Y, validation_split=0.2, shuffle=False, verbose=0)
    b = given.fit(
        X[:16], Y[:16], validation_data=(X[16:], Y[16:]), shuffle=False, verbose=0
    )
    assert a.history == b.history
    with pytest.raises(ArgumentError, match="leaves 0 of 20"):
        split.fit(X, Y, validation_split=0.999, verbose=0)


def test_second_fit_goes_on_and_initial_epoch_counts(backend: Backend) -> None:
    once, twice = linear(), linear()
    once.fit(X, Y, epochs=4, batch_size=10, shuffle=False, verbose=0)
    twice.fit(X, Y, epochs=2, batch_size=10, shuffle=False, verbose=0)
    history = twice.fit(
        X, Y, epochs=4, initial_epoch=2, batch_size=10, shuffle=False, verbose=0
    )
    assert history.epoch == [2, 3]
    for a, b in zip(once.get_weights(), twice.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_steps_per_epoch_goes_round_the_data(backend: Backend) -> None:
    model = linear()
    model.fit(X, Y, batch_size=8, steps_per_epoch=2, epochs=3, shuffle=False, verbose=0)
    # Three batches a pass, so six steps are two passes.
    for got, expected in zip(model.get_weights(), by_hand(X, Y, 8, 2), strict=True):
        np.testing.assert_allclose(got, expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_steps_per_execution_changes_no_result(backend: Backend) -> None:
    seen: list[tuple[int, int]] = []
    begin: list[int] = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: begin.append(batch),
        on_train_batch_end=lambda batch, logs: seen.append((begin[-1], batch)),
    )
    one, three = linear(), linear(steps_per_execution=3)
    a = one.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    b = three.fit(
        X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0, callbacks=[watch]
    )
    assert seen == [(0, 2), (3, 4)] * 2
    np.testing.assert_allclose(a.history["loss"], b.history["loss"], rtol=1e-6)


@pytest.mark.parametrize("settings", [{"run_eagerly": True}, {"jit_compile": False}])
def test_running_eagerly_changes_no_result(
    backend: Backend, settings: dict[str, bool]
) -> None:
    a = linear().fit(X, Y, epochs=2, shuffle=False, verbose=0)
    model = linear(**settings)
    b = model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(a.history["loss"], b.history["loss"], rtol=1e-6)
    assert model._steps["train"].traces == 0


def test_nothing_is_traced_twice(backend: Backend) -> None:
    model = linear(metrics=["mae"])
    data = {"batch_size": 8, "verbose": 0}
    model.fit(X, Y, **data)
    # The last batch is smaller, which makes two signatures.
    traces = 2 if backend.capabilities.compile else 0
    step = model._steps["train"]
    assert step.traces == traces
    model.optimizer.learning_rate = 0.001
    model.fit(
        X,
        Y,
        epochs=2,
        validation_data=(X, Y),
        callbacks=[keras.callbacks.ReduceLROnPlateau("loss", patience=1)],
        **data,
    )
    each_batch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_: None)
    model.fit(X, Y, callbacks=[each_batch], **data)
    assert model._steps["train"] is step
    assert step.traces == traces
    for _ in range(2):
        model.train_on_batch(X[:8], Y[:8])
    assert step.traces == traces + bool(traces)


def test_freezing_a_layer_takes_effect_at_the_next_compile(backend: Backend) -> None:
    model = linear()
    model.fit(X, Y, verbose=0)
    model.layers[0].trainable = False
    before = model.get_weights()
    with pytest.warns(UserWarning, match="trained as it was compiled"):
        model.fit(X, Y, verbose=0)
    assert not model.layers[0].trainable
    frozen = model.get_weights()
    assert all((a != b).any() for a, b in zip(before, frozen, strict=True))
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    for a, b in zip(frozen, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_on_batch_methods(backend: Backend) -> None:
    model = linear(metrics=["mae"])
    losses = [model.train_on_batch(X, Y)[0] for _ in range(3)]
    assert losses == sorted(losses, reverse=True)
    model.reset_metrics()
    logs = model.test_on_batch(X, Y, return_dict=True)
    assert logs == pytest.approx(
        dict(zip(("loss", "mae"), model.evaluate(X, Y, verbose=0), strict=True))
    )
    got = model.predict_on_batch(X)
    assert isinstance(got, np.ndarray)
    np.testing.assert_allclose(got, model.predict(X, verbose=0), rtol=1e-6)
    weight = np.arange(20)
    w = linear()
    error = ((w.predict(X, verbose=0) - Y) ** 2)[:, 0]
    loss = w.test_on_batch(X, Y, sample_weight=weight)
    assert loss == pytest.approx((error * weight).mean(), rel=1e-5)


def test_predict_walks_batches(backend: Backend) -> None:
    model = linear()
    whole = model.predict(X, batch_size=20, verbose=0)
    assert whole.shape == (20, 1)
    np.testing.assert_allclose(model.predict(X, batch_size=7, verbose=0), whole, 1e-6)
    assert model.predict(X, batch_size=7, steps=2, verbose=0).shape == (14, 1)
    assert model.predict(X, batch_size=7, steps=9, verbose=0).shape == (20, 1)
    with pytest.raises(DataError, match="0 samples"):
        model.predict(X[:0], verbose=0)


def test_weights_of_samples_come_and_go(backend: Backend) -> None:
    weight = np.linspace(0, 2, 20, dtype="float32")
    parts = [{}, {"sample_weight": weight}, {}]
    model = linear()
    for settings in parts:
        model.fit(X, Y, batch_size=5, shuffle=False, verbose=0, **settings)
    steps = linear()
    for settings in parts:
        for i in range(0, 20, 5):
            own = {key: value[i : i + 5] for key, value in settings.items()}
            steps.train_on_batch(X[i : i + 5], Y[i : i + 5], **own)
    for got, expected in zip(model.get_weights(), steps.get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_methods_before_compile_say_so(backend: Backend) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    for method in (model.fit, model.evaluate, model.train_on_batch):
        with pytest.raises(StateError, match=r"Call model.compile"):
            method(X, Y)
    assert model.predict(X, verbose=0).shape == (20, 1)


def test_equal_seeds_give_equal_bits(backend: Backend) -> None:
    def run() -> list[np.ndarray]:
        keras.utils.set_random_seed(5)
        model = keras.Sequential(
            [
                keras.Input((3,)),
                keras.layers.Dense(6, activation="relu"),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(1),
            ]
        )
        model.compile("rmsprop", "mse")
        model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
        return model.get_weights()

    for a, b in zip(run(), run(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("method", ["predict", "evaluate", "fit"])
def test_a_layer_added_after_a_run_is_run(backend: Backend, method: str) -> None:
    data = (X,) if method == "predict" else (X, Y)

    def doubled(*, run_first: bool) -> Any:
        dense = keras.layers.Dense(1, kernel_initializer="ones")
        model = keras.Sequential([keras.Input((3,)), dense])
        model.compile(keras.optimizers.SGD(0.0), "mse")
        run = getattr(model, method)
        if run_first:
            run(*data, batch_size=8, verbose=0)
        model.add(keras.layers.Rescaling(2.0))
        result = run(*data, batch_size=8, verbose=0)
        return result.history["loss"] if method == "fit" else result

    found, wanted = doubled(run_first=True), doubled(run_first=False)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
