"""`clone_model` and `model_from_json`: the same architecture, other weights."""

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.errors import ArgumentError
from polykeras.models import clone_model, model_from_json

X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


def stack():
    return keras.Sequential([keras.Input((3,)), layers.Dense(2, activation="relu")])


def graph():
    x = keras.Input((3,), name="x")
    shared = layers.Dense(3, name="shared")
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3)], name="inner")
    return keras.Model(x, layers.Dense(2)(inner(shared(shared(x))) * 2.0 + x))


@pytest.mark.parametrize("make", [stack, graph])
def test_clone_computes_the_same_with_the_same_weights(backend, make):
    model = make()
    clone = clone_model(model)
    mine = {id(v) for v in model.variables}
    assert type(clone) is type(model)
    assert not mine & {id(v) for v in clone.variables}
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(
        ops.convert_to_numpy(clone(X)), ops.convert_to_numpy(model(X))
    )
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(
        ops.convert_to_numpy(again(X)), ops.convert_to_numpy(model(X))
    )


def test_clone_function_replaces_layers():
    def frozen(layer):
        new = type(layer).from_config(layer.get_config())
        new.trainable = False
        return new

    assert clone_model(graph(), clone_function=frozen).trainable_variables == []
    seen = []
    clone_model(graph(), clone_function=lambda x: seen.append(x.name) or frozen(x))
    assert "inner" in seen
    assert seen.count("shared") == 1
    seen.clear()
    clone_model(
        graph(),
        clone_function=lambda x: seen.append(x.name) or frozen(x),
        recursive=True,
    )
    assert "inner" not in seen


def test_call_function_and_input_tensors():
    def doubled(layer, *args, **kwargs):
        return layer(*args, **kwargs) * 2.0

    model = graph()
    x = keras.Input((3,), batch_size=4)
    clone = clone_model(model, input_tensors=x, call_function=doubled)
    assert clone.input is x
    assert clone.output_shape == (4, 2)
    assert clone_model(stack(), input_tensors=x).output_shape == (4, 2)


def test_subclassed_models_and_wrong_arguments():
    @keras.saving.register_keras_serializable("test_clone")
    class Own(keras.Model):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.dense = layers.Dense(units)
            self.units = units

        def call(self, x):
            return self.dense(x)

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    clone = clone_model(Own(5))
    assert clone(X).shape == (4, 5)
    with pytest.raises(ArgumentError, match="need a Sequential or functional model"):
        clone_model(Own(5), clone_function=lambda x: x)
    with pytest.raises(ArgumentError, match="must return a Layer for 'shared'"):
        clone_model(graph(), clone_function=lambda x: x.name)
    with pytest.raises(ArgumentError, match=r"unknown arguments \['colour'\]"):
        clone_model(stack(), colour=1)


def test_clone_of_a_stack_built_by_its_data_is_built():
    model = keras.Sequential([layers.Dense(2), layers.Dense(1)])
    assert not clone_model(model).built
    model(X)
    clone = clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone(X), model(X))
