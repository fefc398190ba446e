"""What compile takes for several outputs, weights, masks, and added losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, PolykerasError
from polykeras.masking import set_mask
from polykeras.training._compile_metrics import CompileMetrics
from tests.training._models import X, Y, linear, two_outputs


def errors(model: Any, x: np.ndarray = X) -> np.ndarray:
    return model.predict(x, verbose=0) - Y


LOSS_FORMS: dict[str, tuple[Any, Any]] = {
    "one for all": ("mse", [1.0, 2.0]),
    "list": (["mse", "mse"], [1.0, 2.0]),
    "dict": ({"a": "mse", "b": keras.losses.MeanSquaredError()}, {"b": 2.0}),
}


@pytest.mark.parametrize("form", LOSS_FORMS)
def test_losses_of_several_outputs(backend: Backend, form: str) -> None:
    loss, weights = LOSS_FORMS[form]
    model = two_outputs()
    model.compile("sgd", loss, loss_weights=weights, metrics={"b": ["mae"], "a": "mse"})
    targets = {"a": Y, "b": 2 * Y} if form == "dict" else [Y, 2 * Y]
    logs = model.evaluate(X, targets, batch_size=20, verbose=0, return_dict=True)
    assert list(logs) == ["loss", "a_loss", "b_loss", "a_mse", "b_mae"]
    p = X.sum(1, keepdims=True)
    expected = {
        "a_loss": ((p - Y) ** 2).mean(),
        "b_loss": ((p - 2 * Y) ** 2).mean(),
        "a_mse": ((p - Y) ** 2).mean(),
        "b_mae": np.abs(p - 2 * Y).mean(),
    }
    expected["loss"] = expected["a_loss"] + 2 * expected["b_loss"]
    assert logs == pytest.approx(expected, rel=1e-5)
    history = model.fit(X, targets, verbose=0)
    assert list(history.history) == list(logs)
    assert [part.shape for part in model.predict(X, verbose=0)] == [(20, 1)] * 2


def test_an_output_without_loss_is_left_out(backend: Backend) -> None:
    model = two_outputs()
    model.compile("sgd", ["mse", None])
    assert list(model.fit(X, [Y, Y], verbose=0).history) == ["loss"]
    np.testing.assert_array_equal(model.get_layer("b").kernel.numpy(), np.ones((3, 1)))


def test_outputs_in_a_dict_go_by_its_keys(backend: Backend) -> None:
    x = keras.Input((3,))
    outputs = {k: keras.layers.Dense(1)(x) for k in ("second", "first")}
    model = keras.Model(x, outputs)
    model.compile("sgd", {"first": "mse", "second": "mae"}, metrics={"second": "mse"})
    history = model.fit(X, {"first": Y, "second": Y}, verbose=0).history
    assert list(history) == ["loss", "first_loss", "second_loss", "second_mse"]
    assert set(model.predict(X, verbose=0)) == {"first", "second"}


def test_wrong_keys_name_the_outputs(backend: Backend) -> None:
    model = two_outputs()
    model.compile("sgd", "mse")
    with pytest.raises(ArgumentError, match=r"y has the key 'c'.*\['a', 'b'\]"):
        model.fit(X, {"a": Y, "c": Y}, verbose=0)
    with pytest.raises(
        ArgumentError, match="y is a single tensor, but the model has 2"
    ):
        model.fit(X, Y, verbose=0)
    model.compile("sgd", {"a": "mse", "bb": "mse"})
    with pytest.raises(ArgumentError, match="loss has the key 'bb'"):
        model.fit(X, [Y, Y], verbose=0)
    model.compile("sgd", "mse", metrics=["mae"])
    with pytest.raises(ArgumentError, match="metrics must be a dict"):
        model.fit(X, [Y, Y], verbose=0)
    with pytest.raises(ArgumentError, match="msee"):
        model.compile("sgd", "msee")


def test_sample_and_class_weights(backend: Backend) -> None:
    model = linear(metrics=["mse"], weighted_metrics=["mse"])
    squared = errors(model)[:, 0] ** 2
    weight = np.linspace(0.0, 2.0, 20)
    loss, plain, weighted = model.evaluate(X, Y, sample_weight=weight, verbose=0)
    assert loss == pytest.approx((squared * weight).mean(), rel=1e-5)
    assert plain == pytest.approx(squared.mean(), rel=1e-5)
    assert weighted == pytest.approx((squared * weight).sum() / weight.sum(), rel=1e-5)
    labels = (Y[:, 0] > 0).astype("int64")

    def trained(**how: Any) -> list[np.ndarray]:
        model = keras.Sequential(
            [
                keras.Input((3,)),
                keras.layers.Dense(2, "softmax", kernel_initializer="ones"),
            ]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(X, labels, shuffle=False, verbose=0, **how)
        return model.get_weights()

    by_class = trained(class_weight={0: 3.0, 1: 0.5})
    by_sample = trained(sample_weight=np.where(labels == 0, 3.0, 0.5))
    for a, b in zip(by_class, by_sample, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_mask_leaves_positions_out_of_loss_and_metrics(backend: Backend) -> None:
    tokens = np.array([[1, 2, 0, 0], [3, 1, 2, 0]])
    target = np.arange(8, dtype="float32").reshape(2, 4, 1)
    model = keras.Sequential(
        [
            keras.Input((4,), dtype="int32"),
            keras.layers.Embedding(4, 2, mask_zero=True),
            keras.layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae"])
    counted = (tokens != 0)[..., None]
    gap = (model.predict(tokens, verbose=0) - target)[counted]
    loss, *maes = model.evaluate(tokens, target, verbose=0)
    assert loss == pytest.approx((gap**2).mean(), rel=1e-5)
    assert maes == pytest.approx([np.abs(gap).mean()] * 2, rel=1e-5)


def test_layers_and_regularizers_add_to_the_loss(backend: Backend) -> None:
    class Penalty(keras.Layer):
        def call(self, x: Any) -> Any:
            self.add_loss(0.1 * ops.mean(x**2))
            return x

    model = keras.Sequential(
        [
            keras.Input((3,)),
            Penalty(),
            keras.layers.Dense(
                1,
                kernel_initializer="ones",
                kernel_regularizer=keras.regularizers.L2(0.5),
            ),
        ]
    )
    model.compile("sgd", "mse")
    expected = (errors(model) ** 2).mean() + 0.1 * (X**2).mean() + 0.5 * 3
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-5)
    # Without a compiled loss the added ones are enough to train.
    model.compile("sgd", None)
    model.fit(X, verbose=0, batch_size=20)
    np.testing.assert_allclose(
        model.layers[-1].kernel.numpy(), np.full((3, 1), 0.99), rtol=1e-6
    )


def test_an_overridden_compute_loss(backend: Backend) -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(1, kernel_initializer="ones")

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def compute_loss(
            self,
            x: Any = None,
            y: Any = None,
            y_pred: Any = None,
            sample_weight: Any = None,
            training: bool = True,
        ) -> Any:
            return ops.mean((y - y_pred) ** 2)

    model = Own()
    model.compile("sgd")
    expected = linear()
    a = model.fit(X, Y, epochs=2, shuffle=False, verbose=0).history["loss"]
    b = expected.fit(X, Y, epochs=2, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(a, b, rtol=1e-6)


def test_no_loss_at_all_says_what_to_do(backend: Backend) -> None:
    with pytest.raises(PolykerasError, match="has no loss to minimise"):
        linear(loss=None).fit(X, Y, verbose=0)


def test_metrics_do_not_change_what_is_learned(backend: Backend) -> None:
    def own(y_true: Any, y_pred: Any) -> Any:
        return ops.cast(ops.argmax(y_pred, axis=-1), "float32")

    plain, watched = linear(), linear(metrics=[own, "mae"])
    plain.fit(X, Y, shuffle=False, verbose=0)
    history = watched.fit(X, Y, shuffle=False, verbose=0)
    assert list(history.history) == ["loss", "own", "mae"]
    for a, b in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_a_mask_leaves_weights_their_digits(backend: Backend) -> None:
    results = []
    for masked in (False, True):
        y, weight = np.array([[0.0], [1.0]]), np.array([0.1, 0.7])
        output = ops.convert_to_tensor(np.array([[0.3], [0.9]]), dtype="float64")
        if masked:
            set_mask(output, ops.convert_to_tensor([True, True]))
        metric = keras.metrics.MeanSquaredError(dtype="float64")
        CompileMetrics(None, [metric]).update_state(y, output, weight)
        results.append(float(metric.result()))
    assert results[0] == pytest.approx(results[1], rel=1e-15)
