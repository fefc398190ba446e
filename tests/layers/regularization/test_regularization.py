"""Noise and penalties that act in training only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend, get_backend, use_backend
from polykeras.errors import ArgumentError, ShapeError


def _trained(layer: Any, x: Any) -> Any:
    return keras.ops.convert_to_numpy(layer(x, training=True))


ONES = np.ones((200, 50), "float32")


def test_dropout_keeps_the_mean(backend: Backend) -> None:
    y = _trained(keras.layers.Dropout(0.25, seed=1), ONES)
    assert set(np.unique(y).tolist()) == {0.0, float(np.float32(1 / 0.75))}
    # Five standard deviations of the mean of 10,000 draws.
    assert abs((y == 0).mean() - 0.25) < 5 * math.sqrt(0.25 * 0.75 / y.size)


def test_masks_differ_between_calls_and_repeat_between_layers(backend: Backend) -> None:
    a, b = (keras.layers.Dropout(0.5, seed=7) for _ in range(2))
    first, second = _trained(a, ONES), _trained(a, ONES)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, _trained(b, ONES))


@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout", "SpatialDropout1D"])
def test_masks_are_the_same_bits_as_the_reference(backend: Backend, name: str) -> None:
    x = np.ones((4, 6, 5), "float32")

    def kept() -> Any:
        y = _trained(getattr(keras.layers, name)(0.5, seed=7), x)
        return y > 0.5

    with use_backend(get_backend("numpy")):
        expected = kept()
    assert 0 < expected.sum() < expected.size
    np.testing.assert_array_equal(kept(), expected)


def test_everything_can_be_dropped(backend: Backend) -> None:
    np.testing.assert_array_equal(_trained(keras.layers.Dropout(1.0), ONES), 0 * ONES)


def test_noise_shape_is_shared(backend: Backend) -> None:
    y = _trained(keras.layers.Dropout(0.5, noise_shape=(200, 1), seed=2), ONES)
    np.testing.assert_array_equal(y, np.repeat(y[:, :1], 50, axis=1))


def test_spatial_dropout_drops_channels(backend: Backend) -> None:
    y = _trained(keras.layers.SpatialDropout1D(0.5, seed=2), np.ones((8, 5, 6), "f4"))
    np.testing.assert_array_equal(y, np.repeat(y[:, :1], 5, axis=1))
    assert set(np.unique(y).tolist()) == {0.0, 2.0}


@pytest.mark.parametrize(
    ("layer", "mean", "stddev"),
    [
        ("GaussianNoise", 1.0, 0.5),
        ("GaussianDropout", 1.0, math.sqrt(0.2 / 0.8)),
    ],
)
def test_noise_has_its_moments(
    backend: Backend, layer: str, mean: float, stddev: float
) -> None:
    amount = 0.5 if layer == "GaussianNoise" else 0.2
    y = _trained(getattr(keras.layers, layer)(amount, seed=1), ONES)
    assert abs(y.mean() - mean) < 5 * stddev / math.sqrt(y.size)
    assert abs(y.std() - stddev) < 5 * stddev / math.sqrt(2 * y.size)


def test_alpha_dropout_keeps_mean_and_variance(backend: Backend) -> None:
    x = np.random.default_rng(0).normal(size=(200, 100)).astype("float32")
    y = _trained(keras.layers.AlphaDropout(0.3, seed=1), x)
    assert abs(y.mean()) < 0.05
    assert abs(y.std() - 1.0) < 0.05


def test_activity_adds_to_the_loss_per_sample(backend: Backend) -> None:
    layer = keras.layers.ActivityRegularization(l1=0.5, l2=0.25)
    layer(np.array([[2.0, -4.0], [0.0, 0.0]], "float32"))
    assert [float(x) for x in layer.losses] == [(0.5 * 6 + 0.25 * 20) / 2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Dropout", 1.5),
        ("Dropout", -0.1),
        ("Dropout", "half"),
        ("GaussianDropout", 1),
        ("AlphaDropout", 1.0),
        ("GaussianNoise", -1.0),
        ("SpatialDropout2D", 2),
    ],
)
def test_refuses(name: str, value: object) -> None:
    with pytest.raises(ArgumentError, match=name):
        getattr(keras.layers, name)(value)


def test_refuses_a_mask_that_does_not_broadcast(backend: Backend) -> None:
    with pytest.raises(ShapeError, match="noise_shape"):
        _trained(keras.layers.Dropout(0.5, noise_shape=(3, 1)), ONES)
