"""Activation functions with parameters, as layers."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError, ShapeError


def test_relu_pieces(backend: Backend) -> None:
    layer = keras.layers.ReLU(max_value=4.0, negative_slope=0.5, threshold=1.0)
    y = keras.ops.convert_to_numpy(layer(np.array([-1.0, 0.5, 1.0, 2.0, 9.0], "f4")))
    np.testing.assert_array_equal(y, [-1.0, -0.25, 0.0, 2.0, 4.0])


def test_leaky_relu_takes_the_old_name_of_its_slope() -> None:
    layer = keras.layers.LeakyReLU(alpha=0.25)
    assert layer.negative_slope == 0.25
    assert layer.get_config()["negative_slope"] == 0.25


def test_prelu_shares_slopes(backend: Backend) -> None:
    layer = keras.layers.PReLU(shared_axes=1)
    layer.build((None, 7, 2))
    assert layer.alpha.shape == (1, 2)
    layer.set_weights([np.array([[0.5, 2.0]])])
    y = layer(-np.ones((1, 7, 2), "float32"))
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(y), np.tile([-0.5, -2.0], (1, 7, 1))
    )


def test_softmax_gives_nothing_to_masked_places(backend: Backend) -> None:
    x = np.array([[1.0, 2.0, 3.0]], "float32")
    y = keras.layers.Softmax()(x, mask=np.array([[True, True, False]]))
    e = np.exp([1.0, 2.0])
    assert_near(y, np.array([[*(e / e.sum()), 0.0]], "float32"))


def test_softmax_takes_a_mask_of_time_steps(backend: Backend) -> None:
    x = np.arange(12, dtype="float32").reshape(2, 3, 2)
    mask = np.array([[True, False, True], [True, True, True]])
    y = keras.ops.convert_to_numpy(keras.layers.Softmax(axis=1)(x, mask=mask))
    np.testing.assert_array_equal(y[0, 1], [0.0, 0.0])
    np.testing.assert_allclose(y.sum(1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_softmax_of_nothing_is_finite(backend: Backend, dtype: str) -> None:
    x = np.ones((1, 4), dtype)
    y = keras.layers.Softmax(dtype=dtype)(x, mask=np.zeros((1, 4), bool))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(y), np.full((1, 4), 0.25))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ReLU", {"max_value": -1.0}),
        ("ReLU", {"negative_slope": -0.1}),
        ("ReLU", {"threshold": None}),
        ("LeakyReLU", {"negative_slope": None}),
        ("LeakyReLU", {"alpha": -1.0}),
        ("PReLU", {"shared_axes": [0, 1]}),
        ("Activation", {"activation": "rleu"}),
    ],
)
def test_refuses(name: str, arguments: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match=name if name != "Activation" else "relu"):
        getattr(keras.layers, name)(**arguments)


def test_prelu_refuses_another_shape(backend: Backend) -> None:
    layer = keras.layers.PReLU()
    layer(np.ones((1, 3), "float32"))
    with pytest.raises(ShapeError, match="size 3"):
        layer(np.ones((1, 4), "float32"))
