"""model(x): compiled where only library code runs, and never noticed otherwise."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.backend import Backend
from polykeras.errors import ShapeError
from polykeras.masking import get_mask

X = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
# Two products of at most 8 terms in float32.
TOLERANCE = 2 * 8 * np.finfo("float32").eps


def small(*more: keras.Layer) -> keras.Model:
    keras.utils.set_random_seed(0)
    first = layers.Dense(8, activation="relu")
    return keras.Sequential([keras.Input((3,)), first, *more, layers.Dense(2)])


def traces(model: keras.Model) -> int:
    return model._calls.traces


def compiles(backend: Backend) -> bool:
    return backend.capabilities.compile and not backend.capabilities.eager


def by_hand(model: keras.Model, x: Any) -> np.ndarray:
    a, b = (layer.get_weights() for layer in (model.layers[0], model.layers[-1]))
    return np.maximum(x @ a[0] + a[1], 0) @ b[0] + b[1]


def test_a_call_is_traced_once_for_each_shape(backend: Backend) -> None:
    model = small()
    for n in (6, 6, 4, 6, 4):
        got = ops.convert_to_numpy(model(X[:n]))
        np.testing.assert_allclose(got, by_hand(model, X[:n]), TOLERANCE, TOLERANCE)
    assert traces(model) == (2 if compiles(backend) else 0)


def test_new_weights_and_training_take_effect_without_a_trace(
    backend: Backend,
) -> None:
    model = small()
    model(X)
    before = traces(model)
    model.set_weights([w + 1 for w in model.get_weights()])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :2], verbose=0)
    got = ops.convert_to_numpy(model(X))
    np.testing.assert_allclose(got, by_hand(model, X), TOLERANCE, TOLERANCE)
    assert traces(model) == before
    model(X[:2])
    assert traces(model) == (before + 1 if compiles(backend) else 0)


def test_a_changed_layer_takes_effect(backend: Backend) -> None:
    model = small(layers.Activation("tanh"))
    x = ops.convert_to_tensor(X)
    before = ops.convert_to_numpy(model(x))
    model.layers[1].activation = keras.activations.relu
    after = ops.convert_to_numpy(model(x))
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, by_hand(model, X), TOLERANCE, TOLERANCE)


def test_other_models_do_not_disturb(backend: Backend) -> None:
    model = small()
    model(X)
    before = traces(model)
    small()(X)
    model(X)
    assert traces(model) == before


@pytest.mark.parametrize("kind", ["lambda", "activation", "subclass"])
def test_users_code_runs_at_every_call(backend: Backend, kind: str) -> None:
    seen: list[int] = []

    def doubled(x: Any) -> Any:
        seen.append(1)
        return x * 2

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x: Any) -> Any:
            return doubled(self.dense(x))

    if kind == "subclass":
        model: keras.Model = Own()
    elif kind == "lambda":
        model = small(layers.Lambda(doubled))
    else:
        model = small(layers.Activation(doubled))
    model(X)
    seen.clear()
    for _ in range(3):
        model(X)
    assert len(seen) == 3
    assert traces(model) == 0


def test_training_and_masks_given_run_as_they_stand(backend: Backend) -> None:
    model = small(layers.Dropout(0.5))
    a, b = (ops.convert_to_numpy(model(X, training=True)) for _ in range(2))
    assert not np.array_equal(a, b)
    assert traces(model) == 0
    model(X, training=False)
    model(X)
    assert traces(model) == (2 if compiles(backend) else 0)


def test_losses_of_a_call_stay_with_the_layers(backend: Backend) -> None:
    model = small(layers.ActivityRegularization(l2=1.0))
    for _ in range(2):
        model(X)
        (loss,) = model.losses
        assert float(loss) > 0


def test_masks_leave_the_call_with_the_outputs(backend: Backend) -> None:
    model = keras.Sequential(
        [keras.Input((4,), dtype="int32"), layers.Embedding(5, 2, mask_zero=True)]
    )
    tokens = np.array([[1, 2, 0, 0]], "int32")
    for _ in range(2):
        mask = get_mask(model(tokens))
        assert ops.convert_to_numpy(mask).tolist() == [[True, True, False, False]]


def test_stateful_layers_go_on_from_call_to_call(backend: Backend) -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((5, 3), batch_size=2), layers.GRU(4, stateful=True)]
    )
    x = np.random.default_rng(1).normal(size=(2, 10, 3)).astype("float32")
    model(x[:, :5])
    got = ops.convert_to_numpy(model(x[:, 5:]))
    model.layers[0].stateful = False
    whole = ops.convert_to_numpy(layers.RNN(model.layers[0].cell)(x))
    # Ten steps of products of at most 4 terms.
    bound = 10 * 4 * np.finfo("float32").eps
    np.testing.assert_allclose(got, whole, bound, bound)


def test_errors_are_those_of_the_call_as_it_stands(backend: Backend) -> None:
    model = small()
    for _ in range(2):
        with pytest.raises(ShapeError, match=r"shape \(None, 3\), but got \(6, 2\)"):
            model(X[:, :2])
    np.testing.assert_allclose(
        ops.convert_to_numpy(model(X)), by_hand(model, X), TOLERANCE, TOLERANCE
    )


def test_structures_of_inputs_and_outputs(backend: Backend) -> None:
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model([a, b], {"sum": layers.Add()([a, b]), "b": b})
    for inputs in ([X, ops.convert_to_tensor(X)], {"a": X, "b": X}):
        out = model(inputs)
        np.testing.assert_array_equal(ops.convert_to_numpy(out["sum"]), X + X)
        np.testing.assert_array_equal(ops.convert_to_numpy(out["b"]), X)


def test_gradients_pass_through_calls(backend: Backend) -> None:
    model = small()
    x = ops.convert_to_tensor(X)
    model(x)
    of_inputs = keras.grad(lambda x: ops.sum(model(x)))(x)
    assert of_inputs.shape == (6, 3)
    variables = model.trainable_variables
    grads = keras.grad(lambda: ops.sum(model(x)), variables)()
    np.testing.assert_allclose(ops.convert_to_numpy(grads[-1]), [6.0, 6.0])


def test_the_first_call_builds_and_gives_what_others_give(backend: Backend) -> None:
    model = keras.Sequential([layers.Dense(8), layers.BatchNormalization()])
    first = ops.convert_to_numpy(model(X))
    np.testing.assert_array_equal(first, ops.convert_to_numpy(model(X)))
    assert traces(model) == (1 if compiles(backend) else 0)
    assert [v.shape for v in model.weights] == [(3, 8)] + [(8,)] * 5


def test_copies_compile_for_themselves(backend: Backend) -> None:
    model = small()
    expected = ops.convert_to_numpy(model(X))
    other = copy.deepcopy(model)
    model.set_weights([0 * w for w in model.get_weights()])
    np.testing.assert_array_equal(ops.convert_to_numpy(other(X)), expected)


def test_models_of_wide_floats(backend: Backend) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, dtype="float64")])
    model(X)
    out = model(X.astype("float64"))
    assert keras.backend.standardize_dtype(out.dtype) == "float64"
