"""`Dense`."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, ShapeError
from tests.layers._case import LayerCase

CASES = [
    LayerCase("Dense", {"units": 4}, (2, 3), (2, 4), weights=2, keeps_mask=True),
    LayerCase(
        "Dense",
        {"units": 4, "activation": "tanh", "kernel_regularizer": "l2"},
        (2, 5, 3),
        (2, 5, 4),
        weights=2,
        unknown=(None, None, 3),
        unknown_output=(None, None, 4),
    ),
    LayerCase("Dense", {"units": 1, "use_bias": False}, (2, 3), (2, 1), weights=1),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_contract(backend: Backend, case: LayerCase) -> None:
    case.check(backend)


def test_known_answer(backend: Backend) -> None:
    layer = keras.layers.Dense(2, activation="relu")
    layer.build((None, 2))
    layer.set_weights([np.array([[1.0, -1.0], [2.0, 1.0]]), np.array([0.5, 0.0])])
    y = keras.ops.convert_to_numpy(layer(np.array([[1.0, -1.0]], "float32")))
    np.testing.assert_array_equal(y, [[0.0, 0.0]])
    y = keras.ops.convert_to_numpy(layer(np.array([[1.0, 2.0]], "float32")))
    np.testing.assert_array_equal(y, [[5.5, 1.0]])


@pytest.mark.parametrize("units", [0, -1, 2.5, None, "4"])
def test_refuses_units(units: object) -> None:
    with pytest.raises(ArgumentError, match="positive number of units"):
        keras.layers.Dense(units)


def test_refuses_other_features(backend: Backend) -> None:
    layer = keras.layers.Dense(2)
    layer(np.ones((1, 3), "float32"))
    with pytest.raises(ShapeError, match="size 3"):
        layer(np.ones((1, 4), "float32"))
