"""Pooling in windows, over everything, and to a given size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import masking
from polykeras.backend import Backend
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError, ShapeError


def test_known_answers(backend: Backend) -> None:
    x = np.array([[[1.0], [2.0], [5.0], [4.0], [9.0]]], "float32")
    for layer, expected in (
        (keras.layers.MaxPooling1D(2), [2.0, 5.0]),
        (keras.layers.MaxPooling1D(2, padding="same"), [2.0, 5.0, 9.0]),
        (keras.layers.AveragePooling1D(2), [1.5, 4.5]),
        (keras.layers.AveragePooling1D(2, padding="same"), [1.5, 4.5, 9.0]),
        (keras.layers.AveragePooling1D(3, strides=2), [8.0 / 3.0, 6.0]),
    ):
        assert_near(layer(x)[0, :, 0], np.array(expected, "float32"))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_masked_steps_do_not_count(
    backend: Backend, keepdims: bool, data_format: str
) -> None:
    x = np.array([[[1.0, 2.0], [3.0, 4.0], [100.0, 100.0]]], "float32")
    expected = np.array([[2.0, 3.0]], "float32")
    time = 1
    if data_format == "channels_first":
        x, time = np.moveaxis(x, 1, 2), 2
    layer = keras.layers.GlobalAveragePooling1D(data_format, keepdims)
    y = layer(x, mask=np.array([[True, True, False]]))
    assert_near(y, np.expand_dims(expected, time) if keepdims else expected)


def test_mean_of_no_steps_is_zero(backend: Backend) -> None:
    layer = keras.layers.GlobalAveragePooling1D()
    y = layer(np.ones((1, 3, 2), "float32"), mask=np.zeros((1, 3), bool))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(y), [[0.0, 0.0]])


def test_mask_follows_from_embedding(backend: Backend) -> None:
    embedding = keras.layers.Embedding(5, 2, mask_zero=True)
    x = embedding(np.array([[1, 2, 0, 0]]))
    y = keras.layers.GlobalAveragePooling1D()(x)
    assert masking.get_mask(y) is None
    assert_near(y, keras.ops.mean(x[:, :2], axis=1), terms=4)


def test_second_names() -> None:
    layers = keras.layers
    assert layers.MaxPool2D is layers.MaxPooling2D
    assert layers.AvgPool3D is layers.AveragePooling3D
    assert layers.GlobalAvgPool1D is layers.GlobalAveragePooling1D
    assert layers.GlobalMaxPool2D is layers.GlobalMaxPooling2D
    assert layers.Convolution2D is layers.Conv2D


@pytest.mark.parametrize(
    ("name", "arguments", "match"),
    [
        ("MaxPooling2D", {"pool_size": 0}, "pool_size"),
        ("MaxPooling2D", {"pool_size": (2, 2, 2)}, "pool_size"),
        ("MaxPooling2D", {"strides": -1}, "strides"),
        ("AveragePooling1D", {"pool_size": 2, "padding": "causal"}, "valid"),
        ("AdaptiveMaxPooling2D", {"output_size": (1, 2, 3)}, "output_size"),
        ("AdaptiveMaxPooling2D", {"output_size": 0}, "output_size"),
    ],
)
def test_refuses_arguments(name: str, arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ArgumentError, match=match):
        getattr(keras.layers, name)(**arguments)


def test_refuses_another_rank(backend: Backend) -> None:
    with pytest.raises(ShapeError, match="expected 4 axes, found 3"):
        keras.layers.GlobalMaxPooling2D()(np.ones((1, 2, 3), "float32"))
