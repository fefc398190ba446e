"""`Dense`."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, ShapeError


def test_known_answer(backend: Backend) -> None:
    layer = keras.layers.Dense(2, activation="relu")
    layer.build((None, 2))
    layer.set_weights([np.array([[1.0, -1.0], [2.0, 1.0]]), np.array([0.5, 0.0])])
    y = keras.ops.convert_to_numpy(layer(np.array([[1.0, -1.0]], "float32")))
    np.testing.assert_array_equal(y, [[0.0, 0.0]])
    y = keras.ops.convert_to_numpy(layer(np.array([[1.0, 2.0]], "float32")))
    np.testing.assert_array_equal(y, [[5.5, 1.0]])


@pytest.mark.parametrize("units", [0, -1])
def test_refuses_units(units: int) -> None:
    with pytest.raises(ArgumentError, match="positive number of units"):
        keras.layers.Dense(units)


def test_refuses_other_features(backend: Backend) -> None:
    layer = keras.layers.Dense(2)
    layer(np.ones((1, 3), "float32"))
    with pytest.raises(ShapeError, match="size 3"):
        layer(np.ones((1, 4), "float32"))
