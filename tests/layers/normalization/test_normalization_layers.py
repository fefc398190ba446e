"""Layers that normalise within a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError, ShapeError


def _draw(*shape: int) -> Any:
    return np.random.default_rng(0).normal(2.0, 3.0, shape).astype("float32")


def test_layer_normalization_formula(backend: Backend) -> None:
    x = _draw(3, 4, 5)
    wide = x.astype("float64")
    mean, variance = wide.mean((1, 2), keepdims=True), wide.var((1, 2), keepdims=True)
    expected = (wide - mean) / np.sqrt(variance + 1e-3)
    y = keras.layers.LayerNormalization(axis=(1, 2))(x)
    assert_near(y, expected, terms=64)


def test_group_normalization_with_one_group_is_layer_normalization(
    backend: Backend,
) -> None:
    x = _draw(3, 4, 6)
    y = keras.layers.GroupNormalization(groups=1)(x)
    assert_near(y, keras.layers.LayerNormalization(axis=[1, 2])(x), terms=64)


def test_group_normalization_formula(backend: Backend) -> None:
    x = _draw(2, 6, 5)
    grouped = x.astype("float64").reshape(2, 3, 2, 5)
    mean = grouped.mean((2, 3), keepdims=True)
    variance = grouped.var((2, 3), keepdims=True)
    expected = ((grouped - mean) / np.sqrt(variance + 1e-3)).reshape(2, 6, 5)
    y = keras.layers.GroupNormalization(groups=3, axis=1)(x)
    assert_near(y, expected, terms=64)


def test_unit_vectors(backend: Backend) -> None:
    x = np.array([[3.0, 4.0], [0.0, 0.0]], "float32")
    y = keras.layers.UnitNormalization()(x)
    assert_near(y, np.array([[0.6, 0.8], [0.0, 0.0]], "float32"))


@pytest.mark.parametrize(
    "name", ["LayerNormalization", "RMSNormalization", "UnitNormalization"]
)
def test_half_precision_does_not_overflow(backend: Backend, name: str) -> None:
    x = np.array([[300.0, -300.0, 300.0, -300.0]], "float16")
    y = getattr(keras.layers, name)(dtype="mixed_float16")(x)
    expected = 0.5 if name == "UnitNormalization" else 1.0
    np.testing.assert_allclose(
        np.abs(keras.ops.convert_to_numpy(y)), expected, rtol=2**-10
    )


@pytest.mark.parametrize("groups", [0, -2, 1.5])
def test_refuses_groups(groups: object) -> None:
    with pytest.raises(ArgumentError, match="groups"):
        keras.layers.GroupNormalization(groups)


def test_refuses_shapes(backend: Backend) -> None:
    with pytest.raises(ShapeError, match="do not divide"):
        keras.layers.GroupNormalization(3)(np.ones((1, 4), "float32"))
    with pytest.raises(ShapeError, match="axis=3"):
        keras.layers.LayerNormalization(axis=3)(np.ones((1, 4), "float32"))
    with pytest.raises(ShapeError, match="must be known"):
        keras.layers.RMSNormalization()(keras.Input((4, None)))
