"""Functions around ops accept variables, tapes and symbolic tensors of open size."""

import numpy as np

import polykeras as keras
from polykeras import ops
from polykeras.backend import Backend
from tests.ops._checks import check_gradient, check_values

X = np.random.default_rng(0).normal(size=(3, 4, 6)).astype(np.float32)


def outputs(fn, x=X):
    """Return the results of a functional model that holds `fn`."""
    given = keras.Input(x.shape[1:])
    return keras.Model(given, fn(given))(x)


def test_ndim_and_size(backend: Backend) -> None:
    given, variable = keras.Input((4, 6)), keras.Variable(X)
    assert (ops.ndim(given), ops.ndim(variable), ops.size(variable)) == (3, 3, 72)
    assert ops.size(given).shape == ()
    check_values(outputs(ops.size), 72, dtype="int32")


def test_rearrange(backend: Backend) -> None:
    def fn(x):
        return ops.rearrange(x, "b (h w) c -> (b w) h c", h=2)

    expected = X.reshape(3, 2, 2, 6).transpose(0, 2, 1, 3).reshape(6, 2, 6)
    assert fn(keras.Input((4, 6))).shape == (None, 2, 6)
    check_values([fn(keras.Variable(X)), outputs(fn)], [expected, expected])
    check_gradient(lambda x: ops.square(fn(x)), [X[:1]])


def test_vectorize(backend: Backend) -> None:
    dot = ops.vectorize(ops.vdot, signature="(n),(n)->()")
    expected = (X * X).sum(-1)
    assert dot(keras.Input((4, 6)), keras.Input((4, 6))).shape == (None, 4)
    found = [dot(keras.Variable(X), X), outputs(lambda x: dot(x, x))]
    check_values(found, [expected, expected], ulp=16)
    check_gradient(dot, [X[:1, :2], X[:1, :2]])
