"""A last batch is filled up where samples do not depend on each other."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.backend import Backend
from polykeras.training import _step
from polykeras.training._samples import first_of, samples_apart

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
    assert not model._predicts_apart()
    got = model.predict(X[:11], batch_size=8, verbose=0)
    parts = [model.predict_on_batch(X[:8]), model.predict_on_batch(X[8:11])]
    np.testing.assert_allclose(got, np.concatenate(parts), TOLERANCE, TOLERANCE)


def test_an_own_step_or_state_is_not_filled_up(backend: Backend) -> None:
    class Own(keras.Sequential):
        def predict_step(self, data: Any) -> Any:
            return super().predict_step(data)

    model = Own([keras.Input((4, 4)), layers.Dense(2)])
    assert not model._predicts_apart()
    stateful = keras.Sequential(
        [keras.Input((4, 4), batch_size=4), layers.GRU(2, stateful=True)]
    )
    assert not stateful._predicts_apart()
    assert not samples_apart(keras.Sequential([layers.Dense(2)]))


def test_callbacks_see_the_outputs_of_the_samples_only(backend: Backend) -> None:
    seen: list[Any] = []
    watch = keras.callbacks.LambdaCallback()
    watch.on_predict_batch_end = lambda batch, logs: seen.append(
        np.shape(logs["outputs"])
    )
    stack(layers.Dense(2)).predict(X, batch_size=8, verbose=0, callbacks=[watch])
    assert seen == [(8, 4, 2), (8, 4, 2), (4, 4, 2)]


# -- evaluate ------------------------------------------------------------------

ROWS = 18
LABELS = np.random.default_rng(1).integers(0, 3, size=ROWS).astype("int32")
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
WEIGHTS = np.random.default_rng(2).uniform(0.5, 2, size=ROWS).astype("float32")


def classifier(**compiled: Any) -> keras.Model:
    inner = (layers.Flatten(), layers.Dense(3, "softmax", kernel_regularizer="l2"))
    model = stack(*inner)
    model.compile("sgd", **{"loss": "sparse_categorical_crossentropy"} | compiled)
    return model


def assert_filled_up(
    backend: Backend, model: keras.Model, y: Any, weights: Any = None, x: Any = None
) -> None:
    """Assert that evaluation agrees with that of its batches one by one."""
    x = X[:ROWS] if x is None else x
    wanted: dict[str, Any] = {}
    model.reset_metrics()
    for start in range(0, ROWS, 8):
        part = operator.itemgetter(slice(start, start + 8))
        *batch, weight = (
            None if a is None else keras.tree.map_structure(part, a)
            for a in (x, y, weights)
        )
        wanted = model.test_on_batch(*batch, weight, return_dict=True)
    assert model._evaluates_apart()
    before = model._steps["test"].traces
    for _ in range(2):
        got = model.evaluate(
            x, y, batch_size=8, verbose=0, sample_weight=weights, return_dict=True
        )
        assert list(got) == list(wanted)
        for name, value in wanted.items():
            np.testing.assert_allclose(got[name], value, TOLERANCE, TOLERANCE, name)
    if backend.capabilities.compile and not backend.capabilities.eager:
        assert model._steps["test"].traces - before == 1


def all_of(module: Any, base: type) -> dict[str, Any]:
    """Return the classes in a module that can be made without arguments, and more."""
    given = {
        "CategoricalGeneralizedCrossEntropy": {"q": 0.5},
        "Dice": {"axis": (1,)},
        "Tversky": {"axis": (1,)},
        "IoU": {"num_classes": 3, "target_class_ids": [0, 2], "sparse_y_pred": False},
        "MeanIoU": {"num_classes": 3, "sparse_y_pred": False},
        "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2]},
        "OneHotMeanIoU": {"num_classes": 3},
        "BinaryIoU": {"threshold": 0.4},
        "SensitivityAtSpecificity": {"specificity": 0.5},
        "SpecificityAtSensitivity": {"sensitivity": 0.5},
        "PrecisionAtRecall": {"recall": 0.5},
        "RecallAtPrecision": {"precision": 0.5},
    }
    without = {base.__name__, "LossFunctionWrapper", "MeanMetricWrapper"}
    # They take values, sequences, or compare samples.
    without |= {"Mean", "Sum", "CTC", "Circle", "R2Score"}
    return {
        name: functools.partial(cls, **given.get(name, {}))
        for name, cls in vars(module).items()
        if isinstance(cls, type) and issubclass(cls, base) and name not in without
    }


LOSSES = all_of(keras.losses, keras.losses.Loss)
METRICS = all_of(keras.metrics, keras.metrics.Metric)


def numbered(name: str) -> bool:
    """Return whether a loss or metric takes numbers of classes."""
    others = ("CategoricalGeneralizedCrossEntropy", "IoU", "MeanIoU")
    return name.startswith("Sparse") or name in others


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_losses_leave_out_what_fills_a_batch_up(backend: Backend, weights: Any) -> None:
    keras.utils.set_random_seed(0)
    x = keras.Input((4, 4))
    out = layers.Dense(3, "softmax")(layers.Flatten()(x))
    model = keras.Model(x, {name: layers.Identity()(out) for name in LOSSES})
    model.compile("sgd", {name: made() for name, made in LOSSES.items()})
    y = {name: LABELS if numbered(name) else ONE_HOT for name in LOSSES}
    assert_filled_up(backend, model, y, weights)


@pytest.mark.parametrize("y", [LABELS, ONE_HOT], ids=["numbers", "one-hot"])
def test_metrics_leave_out_what_fills_a_batch_up(backend: Backend, y: Any) -> None:
    made = [made for name, made in METRICS.items() if numbered(name) == (y is LABELS)]
    kind = "sparse_categorical" if y is LABELS else "categorical"
    model = classifier(
        loss=f"{kind}_crossentropy",
        metrics=[cls() for cls in made],
        weighted_metrics=[cls() for cls in made],
    )
    assert_filled_up(backend, model, y, WEIGHTS)


@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_with_sample_weight"])
def test_every_reduction_divides_by_the_samples_that_count(
    backend: Backend, reduction: str
) -> None:
    model = classifier(loss=keras.losses.MeanSquaredError(reduction=reduction))
    assert_filled_up(backend, model, ONE_HOT, WEIGHTS)


def test_each_output_counts_its_own_samples(backend: Backend) -> None:
    keras.utils.set_random_seed(0)
    x = keras.Input((4, 4))
    flat = layers.Flatten()(x)
    outputs = [layers.Dense(3, "softmax", name=name)(flat) for name in ("a", "b")]
    model = keras.Model(x, outputs)
    losses = ["sparse_categorical_crossentropy", "mse"]
    model.compile("sgd", losses, loss_weights=[1.0, 0.5], metrics=[["acc"], ["mae"]])
    assert_filled_up(backend, model, [LABELS, ONE_HOT])


def test_masks_of_a_model_are_kept(backend: Backend) -> None:
    keras.utils.set_random_seed(0)
    words = np.random.default_rng(3).integers(0, 4, size=(ROWS, 5)).astype("int32")
    words[:, 0] = 1
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            layers.Embedding(4, 3, mask_zero=True),
            layers.GRU(4, return_sequences=True),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    y = np.random.default_rng(4).integers(0, 3, size=(ROWS, 5)).astype("int32")
    assert_filled_up(backend, model, y, x=words)


def test_a_loss_beyond_the_range_stays_infinite(backend: Backend) -> None:
    model = stack(layers.Flatten(), layers.Dense(3, kernel_initializer="ones"))
    model.compile("sgd", "mse", metrics=["mae"])
    huge = np.full((ROWS, 4, 4), 1e30, "float32")
    loss, error = model.evaluate(huge, ONE_HOT, batch_size=8, verbose=0)
    assert loss == np.inf
    assert error == pytest.approx(16e30)


def half_square(y_true: Any, y_pred: Any) -> Any:
    return ops.mean((y_true - y_pred) ** 2, axis=-1) / 2


class Doubled(keras.losses.MeanSquaredError):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return 2 * super().call(y_true, y_pred)


class Largest(keras.metrics.MeanAbsoluteError):
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        super().update_state(ops.max(y_true, axis=0), ops.max(y_pred, axis=0))


TAKEN_AS_THEY_ARE: dict[str, Callable[[], dict[str, Any]]] = {
    "own loss": lambda: {"loss": half_square},
    "region over samples": lambda: {"loss": "dice"},
    "pairs of samples": lambda: {"loss": keras.losses.Circle()},
    "class to ignore": lambda: {
        "loss": keras.losses.SparseCategoricalCrossentropy(ignore_class=1)
    },
    "axis of samples": lambda: {"loss": keras.losses.CosineSimilarity(axis=0)},
    "axis from behind": lambda: {"loss": keras.losses.CosineSimilarity(axis=-2)},
    "derived loss": lambda: {"loss": Doubled()},
    "derived metric": lambda: {"loss": "mse", "metrics": [Largest()]},
    "own metric": lambda: {"loss": "mse", "metrics": [half_square]},
    "counted targets": lambda: {"loss": "mse", "metrics": [keras.metrics.R2Score()]},
}


@pytest.mark.parametrize("name", TAKEN_AS_THEY_ARE)
def test_what_may_take_a_batch_as_a_whole_gets_it_as_it_is(
    backend: Backend, name: str
) -> None:
    y = LABELS if name in ("class to ignore", "pairs of samples") else ONE_HOT
    model = classifier(**TAKEN_AS_THEY_ARE[name]())
    model.evaluate(X[:ROWS], y, batch_size=8, verbose=0)
    assert not model._evaluates_apart()


def test_own_steps_and_activities_are_not_filled_up(backend: Backend) -> None:
    class Own(keras.Sequential):
        def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
            return 2 * super().compute_loss(*args, **kwargs)

    own = Own([keras.Input((4, 4)), layers.Flatten(), layers.Dense(3)])
    active = stack(layers.Flatten(), layers.Dense(3, activity_regularizer="l2"))
    replaced = stack(layers.Flatten(), layers.Dense(3))
    replaced.test_step = lambda data: {"zero": ops.zeros(())}
    without = stack(layers.Flatten(), layers.Dense(3, kernel_regularizer="l2"))
    for model in (own, active, replaced):
        model.compile("sgd", "mse")
        model.evaluate(X[:ROWS], ONE_HOT, batch_size=8, verbose=0)
        assert not model._evaluates_apart()
    without.compile("sgd")
    assert not without._evaluates_apart()


def test_validation_compiles_one_program(backend: Backend) -> None:
    model = classifier(metrics=["accuracy"])
    data = X[:ROWS], LABELS
    model.fit(
        *data, batch_size=9, epochs=3, validation_data=data, validation_batch_size=8,
        verbose=0,
    )  # fmt: skip
    if backend.capabilities.compile and not backend.capabilities.eager:
        assert model._steps["test"].traces == 1
    wanted = model.evaluate(*data, batch_size=ROWS, verbose=0)
    got = model.evaluate(*data, batch_size=8, verbose=0)
    np.testing.assert_allclose(got, wanted, TOLERANCE, TOLERANCE)


def test_callbacks_of_evaluation_see_the_samples_that_count(backend: Backend) -> None:
    seen: list[float] = []
    watch = keras.callbacks.LambdaCallback()
    watch.on_test_batch_end = lambda batch, logs: seen.append(float(logs["loss"]))
    model = classifier(loss="mse")
    result = model.evaluate(
        X[:ROWS], ONE_HOT, batch_size=8, verbose=0, callbacks=[watch]
    )
    assert len(seen) == 3
    assert seen[-1] == result


def test_a_single_batch_is_evaluated_as_it_is(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def noted(samples: Any, at: Any, size: int) -> Any:
        sizes.append(size)
        return first_of(samples, at, size)

    monkeypatch.setattr(_step, "first_of", noted)
    model = classifier()
    model.evaluate(X[:5], LABELS[:5], batch_size=4096, verbose=0)
    assert not sizes
    model.evaluate(X[:5], LABELS[:5], batch_size=4, verbose=0)
    fills = backend.capabilities.compile and not backend.capabilities.eager
    assert set(sizes) == ({4} if fills else set())
