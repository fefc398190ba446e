"""Training: optimizers, losses and whole steps follow the reference backend.

Trajectories are compared in float64, where rounding has not grown to anything that a
wrong formula could hide behind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.backend import REFERENCE, Array, Backend, get_backend, use_backend

OPTIMIZERS: Final[dict[str, Callable[[], Any]]] = {
    "SGD": lambda: keras.optimizers.SGD(0.05),
    "SGD-nesterov": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "RMSprop": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "Adam": lambda: keras.optimizers.Adam(0.01),
    "Adam-amsgrad": lambda: keras.optimizers.Adam(0.01, amsgrad=True, clipnorm=0.5),
    "AdamW": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "Adamax": lambda: keras.optimizers.Adamax(0.01),
    "Nadam": lambda: keras.optimizers.Nadam(0.01),
    "Adagrad": lambda: keras.optimizers.Adagrad(0.05),
    "Adadelta": lambda: keras.optimizers.Adadelta(0.5),
    "Adafactor": lambda: keras.optimizers.Adafactor(0.01),
    "Ftrl": lambda: keras.optimizers.Ftrl(0.05, l1_regularization_strength=0.01),
    "Lion": lambda: keras.optimizers.Lion(0.001),
    "Lamb": lambda: keras.optimizers.Lamb(0.01),
    "Muon": lambda: keras.optimizers.Muon(0.01),
    "averages": lambda: keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9),
    "accumulation": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "schedule": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(0.02, 8)
    ),
}
LOSSES: Final = (
    "mean_squared_error",
    "mean_absolute_error",
    "huber",
    "log_cosh",
    "binary_crossentropy",
    "hinge",
    "poisson",
)
STEPS: Final = 6
# A step of training rounds a few hundred times, and curvature may amplify what came
# before by a small factor each step.
AGREEMENT: Final = 2000 * float(np.finfo(np.float64).eps)


def _data(seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(24, 6))
    return x, np.tanh(x @ rng.normal(size=(6, 2)))


def _on(name: str, run: Callable[[], Any]) -> Any:
    with use_backend(get_backend(name)):
        before = keras.config.floatx()
        keras.config.set_floatx("float64")  # means of metrics and rates included
        try:
            keras.utils.set_random_seed(3)
            return run()
        finally:
            keras.config.set_floatx(before)


def _agree(backend: Backend, run: Callable[[], list[Array]]) -> None:
    found, expected = _on(backend.name, run), _on(REFERENCE, run)
    assert len(found) == len(expected)
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        assert a.shape == b.shape
        scale = max(1.0, float(np.max(np.abs(b), initial=0.0)))
        worst = float(np.max(np.abs(a - b), initial=0.0)) / scale
        assert worst <= AGREEMENT, (
            f"{backend.name}: item {i} of shape {a.shape} differs from the reference "
            f"by {worst:.3g} of its size, allowed {AGREEMENT:.3g}"
        )


def _trained(model: Any, x: Array, y: Array, **how: Any) -> list[Array]:
    history = model.fit(x, y, batch_size=8, verbose=0, **how).history
    curves = [np.asarray(values) for values in history.values()]
    return [*curves, *model.get_weights()]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_follow_the_reference(backend: Backend, name: str) -> None:
    x, y = _data()

    def run() -> list[Array]:
        model = keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(5, "tanh"),
                layers.Dense(2),
            ]
        )
        model.compile(OPTIMIZERS[name](), "mse")
        return _trained(model, x, y, epochs=STEPS // 3)

    _agree(backend, run)


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_follow_the_reference(backend: Backend, loss: str) -> None:
    x, y = _data()
    y = (y > 0).astype("float64") if loss != "hinge" else np.sign(y)

    def run() -> list[Array]:
        model = keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(2, "sigmoid"),
            ]
        )
        model.compile("adam", loss, metrics=["mae"])
        return _trained(model, x, y, epochs=2)

    _agree(backend, run)


def _convolutional() -> Any:
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Reshape((3, 2, 1)),
            layers.Conv2D(4, 2, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D((2, 1)),
            layers.Flatten(),
            layers.Dropout(0.3, seed=1),
            layers.Dense(2, kernel_regularizer="l2"),
        ]
    )


def _recurrent() -> Any:
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Reshape((3, 2)),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.GRU(4),
            layers.Dense(2),
        ]
    )


def _attentive() -> Any:
    x = keras.Input((6,))
    h = layers.Reshape((3, 2))(x)
    h = h + layers.MultiHeadAttention(2, 3)(h, h, use_causal_mask=True)
    h = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(h))
    return keras.Model(x, layers.Dense(2)(h))


@pytest.mark.parametrize("make", [_convolutional, _recurrent, _attentive])
def test_models_follow_the_reference(backend: Backend, make: Callable[[], Any]) -> None:
    x, y = _data()

    def run() -> list[Array]:
        model = make()
        model.compile("adam", "mse", metrics=["mae"])
        return _trained(model, x, y, epochs=2, validation_split=0.25)

    _agree(backend, run)


def test_evaluation_in_batches_follows_the_reference(backend: Backend) -> None:
    x, y = _data()
    weights = np.linspace(0.5, 2, 24)

    def run() -> list[Array]:
        model = _convolutional()
        model.compile("adam", "mse", metrics=["mae"], weighted_metrics=["mse"])
        # In 24 samples fit three batches of 7 and a smaller one, whose program is
        # another, or that of the others with a mask.
        return [
            np.asarray(
                model.evaluate(x, y, batch_size=n, sample_weight=weights, verbose=0)
            )
            for n in (7, 7, 24, 32)
        ]

    _agree(backend, run)


def test_single_steps_follow_the_reference(backend: Backend) -> None:
    x, y = _data()

    def run() -> list[Array]:
        weight = keras.Variable(np.linspace(-1, 1, 12).reshape(6, 2))
        optimizer = keras.optimizers.Adam(0.05)
        target = ops.convert_to_tensor(y)
        losses = []
        for _ in range(STEPS):
            loss, grads = keras.value_and_grad(
                lambda: ops.mean(ops.square(ops.tanh(ops.matmul(x, weight)) - target)),
                [weight],
            )()
            optimizer.apply(grads, [weight])
            losses.append(float(loss))
        return [np.asarray(losses), weight.numpy()]

    _agree(backend, run)


@pytest.mark.in_declared_dtypes
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_learns(backend: Backend, policy: str) -> None:
    x, y = _data()
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(16, "tanh", dtype=policy),
            layers.Dense(2, dtype=policy),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "mse")
    losses = model.fit(x, y, batch_size=8, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert {v.dtype for v in model.trainable_variables} == {"float32"}


def test_weights_of_samples_and_classes_follow_the_reference(backend: Backend) -> None:
    x, y = _data()
    labels = (y[:, 0] > 0).astype("int32")

    def run() -> list[Array]:
        model = keras.Sequential([keras.Input((6,)), layers.Dense(2)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss, weighted_metrics=["accuracy"])
        weighted = _trained(
            model, x, labels, epochs=1, sample_weight=np.linspace(0, 1, 24)
        )
        return weighted + _trained(
            model, x, labels, epochs=1, class_weight={0: 1.0, 1: 3.0}
        )

    _agree(backend, run)
