"""Models can be pickled, with classes of one's own and a compiled state."""

import pickle

import numpy as np

import polykeras as keras
from polykeras import layers

X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


class Twice(layers.Layer):
    def call(self, x):
        return 2 * x


def test_pickles(backend):
    model = keras.Sequential([keras.Input((3,)), Twice(), layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(X, X[:, :2], verbose=0)
    again = pickle.loads(pickle.dumps(model))
    assert again.backend.name == backend.name
    np.testing.assert_array_equal(
        again.predict(X, verbose=0), model.predict(X, verbose=0)
    )
    model.reset_metrics()
    assert again.train_on_batch(X, X[:, :2]) == model.train_on_batch(X, X[:, :2])
