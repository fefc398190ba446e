"""`BatchNormalization`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend, get_backend, use_backend
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError, ShapeError

X = (np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32")) * 3 + 1
MASK = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1]], bool)


# Moving statistics and first outputs that Keras 3.15 gives for these inputs.
@pytest.mark.parametrize(
    ("mask", "mean", "variance", "first"),
    [
        (
            None,
            [-0.00724564, 0.13876258],
            [1.6234647, 1.3665433],
            [0.5389191, -0.36290294, 1.1129435, -0.03375876],
        ),
        (
            MASK,
            [0.18440272, 0.28401813],
            [1.2419832, 1.1618283],
            [-0.25240552, -1.3819011, 0.5824342, -0.94257444],
        ),
    ],
    ids=["whole", "masked"],
)
def test_equals_keras(
    backend: Backend, mask: Any, mean: Any, variance: Any, first: Any
) -> None:
    layer = keras.layers.BatchNormalization(momentum=0.9)
    y = layer(X, training=True, mask=mask)
    gamma, beta, moving_mean, moving_variance = layer.get_weights()
    np.testing.assert_array_equal([gamma, beta], [[1.0, 1.0], [0.0, 0.0]])
    # Sums of 12 terms up to 25, and 8 printed digits.
    np.testing.assert_allclose(moving_mean, mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(moving_variance, variance, rtol=1e-5)
    found = keras.ops.convert_to_numpy(y).ravel()[:4]
    np.testing.assert_allclose(found, first, rtol=1e-5, atol=2e-6)


def test_inference_uses_moving_statistics_and_leaves_them(backend: Backend) -> None:
    layer = keras.layers.BatchNormalization(epsilon=0.0)
    layer.build((None, 2))
    layer.set_weights(
        [np.array(v, "float32") for v in ([2, 2], [1, 1], [1, 0], [4, 1])]
    )
    before = layer.get_weights()
    y = layer(np.array([[3.0, 2.0]], "float32"))
    assert_near(y, np.array([[3.0, 5.0]], "float32"))
    np.testing.assert_array_equal(before, layer.get_weights())


def test_frozen_layers_infer(backend: Backend) -> None:
    layer = keras.layers.BatchNormalization()
    layer(X)
    layer.trainable = False
    y = layer(X, training=True)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(y), keras.ops.convert_to_numpy(layer(X))
    )
    np.testing.assert_array_equal(layer.get_weights()[2], [0.0, 0.0])


def _trained_gradients() -> list[Any]:
    layer = keras.layers.BatchNormalization(dtype="float64")
    x = keras.ops.convert_to_tensor(X.astype("float64"))
    layer.build(X.shape)
    weight = np.cos(np.arange(X.size, dtype="float64")).reshape(X.shape)

    def loss(x: Any) -> Any:
        return keras.ops.sum(layer(x, training=True) * keras.ops.array(weight))

    found = [keras.grad(loss)(x), *keras.grad(loss, layer.trainable_variables)(x)]
    return [keras.ops.convert_to_numpy(g) for g in found]


def test_gradients_flow_through_the_statistics(backend: Backend) -> None:
    with use_backend(get_backend("numpy")):
        expected = _trained_gradients()
    found = _trained_gradients()
    for g, wanted in zip(found, expected, strict=True):
        assert_near(g, wanted, terms=256)
    # Shifting or scaling a whole batch changes nothing, so neither does the loss.
    np.testing.assert_allclose(found[0].sum((0, 1)), 0.0, atol=1e-12)


def test_statistics_of_half_precision_are_float32(backend: Backend) -> None:
    layer = keras.layers.BatchNormalization(dtype="mixed_float16", momentum=0.0)
    x = np.array([[-300.0], [300.0]], "float16")
    y = layer(x, training=True)
    assert keras.ops.dtype(y) == "float16"
    assert layer.moving_variance.dtype == "float32"
    np.testing.assert_allclose(layer.get_weights()[3], [90000.0])
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(y), [[-1.0], [1.0]], rtol=2**-10
    )


def test_trains_in_a_model(backend: Backend) -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(5.0, 2.0, (64, 2)).astype("float32")
    history = model.fit(x, x[:, :1], epochs=4, batch_size=16, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    moving_mean = model.layers[0].get_weights()[2]
    # 16 steps of momentum 0.99 from 0.
    np.testing.assert_allclose(moving_mean, x.mean(0) * (1 - 0.99**16), rtol=0.05)


def test_refuses(backend: Backend) -> None:
    with pytest.raises(ArgumentError, match="one int axis"):
        keras.layers.BatchNormalization(axis=(1, 2))
    with pytest.raises(ShapeError, match="axis=4"):
        keras.layers.BatchNormalization(axis=4)(X)
    layer = keras.layers.BatchNormalization()
    with pytest.raises(ShapeError, match="needs a mask"):
        layer(X, training=True, mask=MASK[0])
    with pytest.raises(ShapeError, match="size 2"):
        layer(np.ones((1, 3, 4), "float32"))
