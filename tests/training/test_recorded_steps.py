"""Recorded steps train to the same bits as steps that run as they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import use_backend

layers = keras.layers
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(20, 6)).astype("float32")
IMAGES = RNG.normal(size=(20, 8, 8, 3)).astype("float32")
WORDS = RNG.integers(0, 9, (20, 7)).astype("int32")
CLASSES = RNG.integers(0, 3, 20).astype("int32")
NUMBERS = RNG.normal(size=(20, 1)).astype("float32")
BATCH = 6  # the last batch holds 2


@pytest.fixture(autouse=True)
def _numpy() -> Iterator[None]:
    with use_backend("numpy"):
        yield


def dense(*more: Any, **settings: Any) -> Any:
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(5, **settings), *more, layers.Dense(1)]
    )


def images(*parts: Any) -> Any:
    return keras.Sequential(
        [keras.Input((8, 8, 3)), *parts, layers.Flatten(), layers.Dense(1)]
    )


def words(*parts: Any) -> Any:
    return keras.Sequential(
        [
            keras.Input((7,), dtype="int32"),
            layers.Embedding(9, 4, mask_zero=True),
            *parts,
            layers.Dense(1),
        ]
    )


def attention() -> Any:
    x = keras.Input((7,), dtype="int32")
    h = layers.Embedding(9, 8)(x)
    h = layers.LayerNormalization()(h + layers.MultiHeadAttention(2, 4)(h, h))
    h = layers.Dropout(0.2)(layers.GlobalAveragePooling1D()(h))
    return keras.Model(x, layers.Dense(1)(h))


MODELS: dict[str, tuple[Callable[[], Any], Any]] = {
    "dense": (dense, ROWS),
    "dropout": (lambda: dense(layers.Dropout(0.5), layers.GaussianNoise(0.1)), ROWS),
    "batch norm": (lambda: dense(layers.BatchNormalization()), ROWS),
    "regularized": (
        lambda: dense(kernel_regularizer="l2", kernel_constraint="max_norm"),
        ROWS,
    ),
    "half": (lambda: dense(dtype="mixed_bfloat16"), ROWS),
    "activity": (lambda: dense(layers.ActivityRegularization(l1=0.1)), ROWS),
    "convolution": (
        lambda: images(
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.DepthwiseConv2D(2, padding="same"),
            layers.AveragePooling2D(2),
        ),
        IMAGES,
    ),
    "images": (
        lambda: images(layers.RandomFlip(), layers.Conv2DTranspose(2, 3)),
        IMAGES,
    ),
    "lstm": (lambda: words(layers.LSTM(5, dropout=0.2)), WORDS),
    "gru": (lambda: words(layers.Bidirectional(layers.GRU(3))), WORDS),
    "cell": (lambda: words(layers.RNN(layers.SimpleRNNCell(3))), WORDS),
    "attention": (attention, WORDS),
}


def trained(
    model: Any, x: Any, y: Any = NUMBERS, *, steps: int = 1, **settings: Any
) -> tuple[Any, Any]:
    fit = {
        k: settings.pop(k) for k in ("sample_weight", "class_weight") if k in settings
    }
    model.compile(**{"optimizer": "adam", "loss": "mse", **settings})
    model.steps_per_execution = steps
    history = model.fit(
        x, y, batch_size=BATCH, epochs=3, verbose=0, validation_data=(x, y), **fit
    )
    return model, (history.history, model.predict(x, batch_size=BATCH, verbose=0))


def check(
    make: Callable[[], Any],
    x: Any,
    *,
    traces: int = 2,
    optimizer: Callable[[], Any] = keras.optimizers.Adam,
    **settings: Any,
) -> None:
    """Train once recorded and once eagerly, and compare every bit."""
    found = []
    for jit in ("auto", False):
        keras.utils.set_random_seed(1)
        made = {"optimizer": optimizer(), **settings}
        model, results = trained(make(), x, jit_compile=jit, **made)
        variables = [*model.weights, *model.optimizer.variables]
        found.append(([v.numpy() for v in variables], results))
        assert model._steps["train"].traces == (traces if jit else 0)
    (a, (log, out)), (b, (other_log, other_out)) = found
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)
    assert log == other_log
    np.testing.assert_array_equal(out, other_out)


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str) -> None:
    check(*MODELS[name])


@pytest.mark.parametrize(
    "optimizer",
    [
        *("SGD", "RMSprop", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "Nadam"),
        *("Ftrl", "Lion", "Lamb", "Adafactor"),
    ],
)
def test_optimizers(optimizer: str) -> None:
    make = getattr(keras.optimizers, optimizer)
    check(dense, ROWS, optimizer=partial(make, learning_rate=0.01))


@pytest.mark.parametrize(
    "settings",
    [
        {"momentum": 0.9, "nesterov": True},
        {"clipnorm": 0.1, "weight_decay": 0.01},
        {"use_ema": True, "ema_overwrite_frequency": 2},
        {"gradient_accumulation_steps": 2},
        {"learning_rate": keras.optimizers.schedules.CosineDecay(0.1, 9)},
    ],
)
def test_settings_of_optimizers(settings: dict[str, Any]) -> None:
    made = partial(keras.optimizers.SGD, **{"learning_rate": 0.01, **settings})
    check(dense, ROWS, optimizer=made)


def test_losses_metrics_and_weights() -> None:
    check(
        lambda: keras.Sequential([keras.Input((6,)), layers.Dense(3, "softmax")]),
        ROWS,
        y=CLASSES,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2)],
        weighted_metrics=["accuracy"],
        sample_weight=np.linspace(0, 1, 20, dtype="float32"),
    )


def test_loss_scaling() -> None:
    check(lambda: dense(dtype="mixed_float16"), ROWS)


def test_several_batches_in_one_call() -> None:
    check(dense, ROWS, steps=2)


# -- code that polykeras does not know -----------------------------------------------


class Counted(layers.Layer):
    """Counts its calls, which a record would not."""

    calls = 0

    def call(self, x: Any) -> Any:
        """Count and pass on."""
        if x.shape[0] == BATCH:
            self.calls += 1
        return x * 2.0


def _own_activation(x: Any) -> Any:
    return x


@pytest.mark.parametrize(
    "settings",
    [
        {"model": lambda: dense(Counted())},
        {"model": lambda: dense(layers.Lambda(lambda x: x * 2))},
        {"model": lambda: dense(activation=_own_activation)},
        {"model": lambda: dense(kernel_regularizer=lambda w: 0.1 * np.sum(w.shape))},
        {"loss": lambda y, p: keras.ops.mean(y - p)},
        {"metrics": [lambda y, p: keras.ops.mean(y - p)]},
        {"optimizer": type("Own", (keras.optimizers.SGD,), {"__module__": "own"})(0.1)},
    ],
)
def test_own_code_runs_at_every_step(settings: dict[str, Any]) -> None:
    model = settings.pop("model", dense)()
    model, _ = trained(model, ROWS, **settings)
    assert model._steps["train"].traces == 0


def test_own_code_is_recorded_where_the_user_says_so() -> None:
    counted = Counted()
    model, _ = trained(dense(counted), ROWS, jit_compile=True)
    assert model._steps["train"].traces == 2
    recorded = counted.calls
    trained(dense(counted), ROWS, jit_compile=False)
    assert counted.calls - recorded > recorded


def test_a_step_that_asks_for_values_runs_as_it_stands() -> None:
    class Branching(layers.Layer):
        """Chooses by a value."""

        def call(self, x: Any) -> Any:
            """Double what is large."""
            self.add_loss(keras.ops.sum(x) * 0.01)
            large = x.shape[0] == BATCH and float(keras.ops.sum(x)) > 0
            return x * 2.0 if large else x

    found = []
    for jit in (True, False):
        keras.utils.set_random_seed(1)
        found.append(trained(dense(Branching()), ROWS, jit_compile=jit)[1])
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])
