"""Wrong input to layers: the same clear error on every backend."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.errors import ArgumentError, DTypeError, ShapeError


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


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: layers.BatchNormalization(epsilon=-1.0), "epsilon of at least 0"),
        (lambda: layers.RMSNormalization(epsilon=-1.0), "epsilon of at least 0"),
        (lambda: layers.Rescaling(None), "a number or a list as scale, got None"),
        (lambda: layers.MultiHeadAttention(2, 2, output_shape=-1), "output_shape"),
        (lambda: keras.losses.Tversky(alpha=None), "a number as alpha, got None"),
    ],
)
def test_constructors_refuse_what_calls_could_not_use(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


@pytest.mark.parametrize(
    "cls",
    [layers.LayerNormalization, layers.RMSNormalization, layers.UnitNormalization],
)
def test_normalizations_need_an_axis(cls):
    with pytest.raises(ArgumentError, match=rf"{cls.__name__} needs at least one axis"):
        cls(axis=[])


@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU, layers.ConvLSTM1D])
def test_cells_without_a_bias_initializer_begin_at_zero(cls):
    sizes = (2,) if cls is not layers.ConvLSTM1D else (2, 1)
    shape = (1, 2, 3) if cls is not layers.ConvLSTM1D else (1, 2, 4, 3)
    layer = cls(*sizes, bias_initializer=None)
    layer.build(shape)
    same = cls(*sizes)
    same.build(shape)
    np.testing.assert_array_equal(layer.get_weights()[-1], same.get_weights()[-1])
