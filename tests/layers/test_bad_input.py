"""Wrong input to layers: the same clear error on every backend."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.errors import DTypeError, ShapeError


@pytest.mark.parametrize(
    "layer", [layers.LSTM(2), layers.GRU(2), layers.SimpleRNN(2)], ids=lambda x: x.name
)
def test_sequences_have_three_axes(backend, layer):
    fresh = type(layer).from_config(layer.get_config())
    with pytest.raises(ShapeError, match="expected 3 axes, found 2"):
        fresh(np.ones((2, 5), "float32"))
    with pytest.raises(ShapeError, match="expected 3 axes, found 2"):
        fresh(keras.Input((5,)))


def test_text_is_no_number(backend):
    with pytest.raises(DTypeError, match=r"text.*Encode it"):
        layers.Dense(2)(np.array([["a", "b"]]))
    with pytest.raises(DTypeError, match=r"text.*Encode it"):
        keras.ops.add(np.array(["a"]), 1)
