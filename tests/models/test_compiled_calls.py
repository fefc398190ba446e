"""model(x): compiled where only library code runs, and never noticed otherwise."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers._call import observing
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


def settle(model: keras.Model, x: Any = X, **kwargs: Any) -> Any:
    """Call a model until it is compiled, and return its last outputs."""
    for _ in range(2):
        out = model(x, **kwargs)
    return out


def by_hand(model: keras.Model, x: Any) -> np.ndarray:
    a, b = (layer.get_weights() for layer in (model.layers[0], model.layers[-1]))
    return np.maximum(x @ a[0] + a[1], 0) @ b[0] + b[1]


def test_a_call_is_traced_once_for_each_shape(backend: Backend) -> None:
    model = small()
    for n in (6, 6, 4, 6, 4):
        got = ops.convert_to_numpy(model(X[:n]))
        np.testing.assert_allclose(got, by_hand(model, X[:n]), TOLERANCE, TOLERANCE)
    assert traces(model) == (2 if backend.capabilities.compile else 0)


def test_one_call_is_not_worth_a_trace(backend: Backend) -> None:
    model = small()
    model(X)
    assert traces(model) == (0 if backend.capabilities.eager else 1)


@pytest.mark.parametrize("options", [{"run_eagerly": True}, {"jit_compile": False}])
def test_nothing_is_compiled_where_the_user_said_so(
    backend: Backend, options: dict[str, bool]
) -> None:
    model = small()
    model.compile("sgd", "mse", **options)
    settle(model)
    assert traces(model) == 0


def test_observers_see_every_layer(backend: Backend) -> None:
    model = small()
    settle(model)
    seen: list[str] = []

    def observer(layer: Any, args: Any, kwargs: Any) -> Any:
        seen.append(layer.name)
        return layer.call(*args, **kwargs)

    with observing(observer):
        model(X)
    assert seen[1:] == [layer.name for layer in model.layers]


def test_new_weights_and_training_take_effect_without_a_trace(
    backend: Backend,
) -> None:
    model = small()
    settle(model)
    before = traces(model)
    model.set_weights([w + 1 for w in model.get_weights()])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :2], verbose=0)
    got = ops.convert_to_numpy(model(X))
    np.testing.assert_allclose(got, by_hand(model, X), TOLERANCE, TOLERANCE)
    assert traces(model) == before
    settle(model, X[:2])
    assert traces(model) == (before + 1 if backend.capabilities.compile else 0)


def test_a_changed_layer_takes_effect(backend: Backend) -> None:
    model = small(layers.Activation("tanh"))
    x = ops.convert_to_tensor(X)
    before = ops.convert_to_numpy(settle(model, x))
    model.layers[1].activation = keras.activations.relu
    after = ops.convert_to_numpy(settle(model, x))
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, by_hand(model, X), TOLERANCE, TOLERANCE)


def test_other_models_do_not_disturb(backend: Backend) -> None:
    model = small()
    settle(model)
    before = traces(model)
    settle(small())
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
    settle(model)
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
    settle(model, training=False)
    settle(model)
    assert traces(model) == (2 if backend.capabilities.compile else 0)


def test_losses_of_a_call_stay_with_the_layers(backend: Backend) -> None:
    model = small(layers.ActivityRegularization(l2=1.0))
    for _ in range(3):
        model(X)
        (loss,) = model.losses
        assert float(loss) > 0


def test_masks_leave_the_call_with_the_outputs(backend: Backend) -> None:
    model = keras.Sequential(
        [keras.Input((4,), dtype="int32"), layers.Embedding(5, 2, mask_zero=True)]
    )
    tokens = np.array([[1, 2, 0, 0]], "int32")
    for _ in range(3):
        mask = get_mask(model(tokens))
        assert ops.convert_to_numpy(mask).tolist() == [[True, True, False, False]]


def test_stateful_layers_go_on_from_call_to_call(backend: Backend) -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((5, 3), batch_size=2), layers.GRU(4, stateful=True)]
    )
    x = np.random.default_rng(1).normal(size=(2, 20, 3)).astype("float32")
    for start in (0, 5, 10):
        model(x[:, start : start + 5])
    got = ops.convert_to_numpy(model(x[:, 15:]))
    model.layers[0].stateful = False
    whole = ops.convert_to_numpy(layers.RNN(model.layers[0].cell)(x))
    # Twenty steps of products of at most 4 terms.
    bound = 20 * 4 * np.finfo("float32").eps
    np.testing.assert_allclose(got, whole, bound, bound)


def test_errors_are_those_of_the_call_as_it_stands(backend: Backend) -> None:
    model = small()
    for _ in range(3):
        with pytest.raises(ShapeError, match=r"shape \(None, 3\), but got \(6, 2\)"):
            model(X[:, :2])
    np.testing.assert_allclose(
        ops.convert_to_numpy(model(X)), by_hand(model, X), TOLERANCE, TOLERANCE
    )


def test_structures_of_inputs_and_outputs(backend: Backend) -> None:
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model([a, b], {"sum": layers.Add()([a, b]), "b": b})
    for inputs in ([X, ops.convert_to_tensor(X)], {"a": X, "b": X}) * 3:
        out = model(inputs)
        np.testing.assert_array_equal(ops.convert_to_numpy(out["sum"]), X + X)
        np.testing.assert_array_equal(ops.convert_to_numpy(out["b"]), X)


def test_gradients_pass_through_calls(backend: Backend) -> None:
    model = small()
    x = ops.convert_to_tensor(X)
    settle(model, x)
    of_inputs = keras.grad(lambda x: ops.sum(model(x)))(x)
    assert of_inputs.shape == (6, 3)
    variables = model.trainable_variables
    grads = keras.grad(lambda: ops.sum(model(x)), variables)()
    np.testing.assert_allclose(ops.convert_to_numpy(grads[-1]), [6.0, 6.0])


def test_the_first_call_builds_and_gives_what_others_give(backend: Backend) -> None:
    model = keras.Sequential([layers.Dense(8), layers.BatchNormalization()])
    first = ops.convert_to_numpy(model(X))
    for _ in range(2):
        np.testing.assert_array_equal(first, ops.convert_to_numpy(model(X)))
    assert traces(model) == (1 if backend.capabilities.compile else 0)
    assert [v.shape for v in model.weights] == [(3, 8)] + [(8,)] * 5


def test_copies_compile_for_themselves(backend: Backend) -> None:
    model = small()
    expected = ops.convert_to_numpy(settle(model))
    other = copy.deepcopy(model)
    model.set_weights([0 * w for w in model.get_weights()])
    np.testing.assert_array_equal(ops.convert_to_numpy(other(X)), expected)


def test_models_of_wide_floats(backend: Backend) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, dtype="float64")])
    settle(model)
    out = settle(model, X.astype("float64"))
    assert keras.backend.standardize_dtype(out.dtype) == "float64"


def test_outputs_belong_to_the_caller(backend: Backend) -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Flatten()])
    outs = [model(ops.convert_to_tensor(X + n)) for n in range(4)]
    for n, out in enumerate(outs):
        np.testing.assert_array_equal(ops.convert_to_numpy(out), X + n)


def test_an_index_out_of_range_is_explained_at_every_call(backend: Backend) -> None:
    model = keras.Sequential(
        [keras.Input((2,), dtype="int32"), layers.Embedding(5, 2), layers.Dense(1)]
    )
    good, bad = np.array([[0, 4]], "int32"), np.array([[0, 9]], "int32")
    settle(model, good)
    if backend.capabilities.eager:
        for _ in range(2):
            with pytest.raises(ArgumentError, match="index 9"):
                model(bad)
    assert np.isfinite(ops.convert_to_numpy(model(good))).all()


def test_compiled_calls_leave_steps_compiled(backend: Backend) -> None:
    model = small()
    settle(model)
    model.compile("sgd", "mse")
    for _ in range(2):
        model.fit(X, X[:, :2], batch_size=3, verbose=0)
        model.predict(X, batch_size=3, verbose=0)
    assert backend.capabilities.compile
    assert all(step.traces for step in model._steps.values())
