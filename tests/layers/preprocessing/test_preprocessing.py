"""`Rescaling` and `Normalization`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError, DataError, ShapeError


def test_rescaling_makes_floats_of_pixels(backend: Backend) -> None:
    y = keras.layers.Rescaling(1 / 255)(np.array([0, 51, 255], "uint8"))
    assert_near(y, np.array([0.0, 0.2, 1.0], "float32"))


DATA = np.random.default_rng(0).normal(3.0, 2.0, (40, 5, 3)).astype("float32")


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), None])
def test_adapted_data_has_mean_0_and_variance_1(backend: Backend, axis: Any) -> None:
    layer = keras.layers.Normalization(axis=axis)
    layer.adapt(DATA)
    kept = () if axis is None else np.atleast_1d(axis) % 3
    reduced = tuple(i for i in range(3) if i not in kept)
    y = keras.ops.convert_to_numpy(layer(DATA)).astype("float64")
    np.testing.assert_allclose(y.mean(reduced), 0.0, atol=1e-5)
    np.testing.assert_allclose(y.var(reduced), 1.0, atol=1e-5)
    back = keras.layers.Normalization(
        axis=axis,
        invert=True,
        mean=DATA.mean(reduced, keepdims=True),
        variance=DATA.var(reduced, keepdims=True),
    )
    assert_near(back(layer(DATA)), DATA)


def test_batches_give_the_same_statistics(backend: Backend) -> None:
    whole, parts = keras.layers.Normalization(), keras.layers.Normalization()
    whole.adapt(DATA)
    parts.adapt((b, None) for b in (DATA[:7], DATA[7:8], DATA[8:8], DATA[8:]))
    for a, b in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    assert whole.get_weights()[2] == 40 * 5


def test_adapting_again_forgets(backend: Backend) -> None:
    layer = keras.layers.Normalization()
    layer.adapt(DATA + 100.0)
    layer.adapt(DATA)
    np.testing.assert_allclose(layer.get_weights()[0], DATA.mean((0, 1)), rtol=1e-5)


def test_constant_features_stay_finite(backend: Backend) -> None:
    layer = keras.layers.Normalization()
    layer.adapt(np.ones((4, 2), "float32"))
    y = keras.ops.convert_to_numpy(layer(np.ones((1, 2), "float32")))
    np.testing.assert_array_equal(y, [[0.0, 0.0]])


def test_refuses(backend: Backend) -> None:
    with pytest.raises(ArgumentError, match="only mean"):
        keras.layers.Normalization(mean=1.0)
    with pytest.raises(ArgumentError, match="cannot adapt"):
        keras.layers.Normalization(mean=1.0, variance=1.0).adapt(DATA)
    with pytest.raises(DataError, match="no values"):
        keras.layers.Normalization().adapt(iter([]))
    with pytest.raises(ShapeError, match="must be known"):
        keras.layers.Normalization()(keras.Input((None,)))
    with pytest.raises(ShapeError, match="does not broadcast"):
        keras.layers.Normalization(mean=[1.0, 2.0], variance=1.0).build((None, 3))
    layer = keras.layers.Normalization()
    layer.adapt(DATA)
    with pytest.raises(ShapeError, match="built for 3 axes"):
        layer.adapt(DATA[0])
