"""No two variables, and no array of the user's, share memory that training changes."""

from __future__ import annotations

import numpy as np

import polykeras as keras
from polykeras import layers, ops


def make():
    model = keras.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    return model


def test_training_leaves_the_users_arrays_alone(backend):
    model = make()
    weights = [np.ones((3, 2), "float32"), np.zeros(2, "float32")]
    model.set_weights(weights)
    model.fit(np.ones((4, 3)), np.ones((4, 2)), epochs=2, verbose=0)
    np.testing.assert_array_equal(weights[0], np.ones((3, 2)))
    assert not np.array_equal(model.get_weights()[0], weights[0])


def test_a_variable_assigned_from_another_has_a_value_of_its_own(backend):
    model = make()
    target = keras.Variable(np.zeros((3, 2), "float32"))
    target.assign(model.layers[0].kernel.value)
    before = target.numpy()
    model.fit(np.ones((4, 3)), np.ones((4, 2)), epochs=2, verbose=0)
    np.testing.assert_array_equal(target.numpy(), before)


def test_a_copy_of_the_weights_inside_a_step_stays_a_copy(backend):
    class Lagging(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)
            self.old = self.add_weight(shape=(3, 2), trainable=False)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            self.old.assign(self.dense.kernel)
            return super().train_step(data)

    model = Lagging()
    model.compile("sgd", "mse")
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    model.fit(x, y, batch_size=4, epochs=1, verbose=0)
    before = model.dense.kernel.numpy()
    model.fit(x, y, batch_size=4, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.old.numpy(), before)
    assert not np.array_equal(model.dense.kernel.numpy(), before)
    assert ops.dtype(model.old) == "float32"
