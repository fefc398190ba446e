"""Which variables a model lists where: weights, seeds and metrics apart."""

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops


class Watched(layers.Layer):
    """A layer that keeps a metric of its inputs."""

    def __init__(self):
        super().__init__()
        self.level = keras.metrics.Mean(name="level")
        self.dense = layers.Dense(1)

    def call(self, inputs):
        self.level.update_state(ops.mean(inputs))
        return self.dense(inputs)


def _model() -> keras.Model:
    return keras.Sequential(
        [keras.Input((4,)), Watched(), layers.BatchNormalization(), layers.Dropout(0.5)]
    )


def test_metrics_are_apart_from_variables():
    model = _model()
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0)
    names = [v.name for v in model.non_trainable_variables]
    assert names == ["moving_mean", "moving_variance", "seed_generator_state"]
    assert len(model.variables) == len(model.trainable_variables) + 3
    assert len(model.weights) == len(model.variables) - 1
    # Of the layer's metric, the loss and the error.
    assert len(model.metrics_variables) == 6
    assert not {id(v) for v in model.metrics_variables} & set(map(id, model.variables))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_metrics_inside_layers_are_kept_by_fit_and_predict(backend, jit_compile):
    model = _model()
    model.compile("sgd", "mse", jit_compile=jit_compile)
    level = model.layers[0].level
    level.reset_state()
    model.predict(np.full((8, 4), 3.0), batch_size=4, verbose=0)
    assert float(level.count.numpy()) == 2
    assert float(level.result()) == 3.0


def test_a_stateless_call_leaves_metrics_alone(backend):
    model = _model()
    level = model.layers[0].level
    level.reset_state()
    x = ops.ones((2, 4))
    _, others = model.stateless_call(
        model.trainable_variables, model.non_trainable_variables, x
    )
    assert len(others) == len(model.non_trainable_variables)
    assert float(level.count.numpy()) == 0
