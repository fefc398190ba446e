"""`Conv1D`, `Conv2D`, `Conv3D`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError, ShapeError


def test_known_answer(backend: Backend) -> None:
    layer = keras.layers.Conv1D(1, 2)
    layer.build((None, 3, 1))
    layer.set_weights([np.array([[[1.0]], [[10.0]]]), np.array([0.5])])
    y = layer(np.array([[[1.0], [2.0], [3.0]]], "float32"))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(y), [[[21.5], [32.5]]])


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_causal_outputs_do_not_see_the_future(
    backend: Backend, data_format: str
) -> None:
    layer = keras.layers.Conv1D(
        2, 3, padding="causal", dilation_rate=2, data_format=data_format
    )
    x = np.random.default_rng(0).normal(size=(1, 6, 6)).astype("float32")
    time = 1 if data_format == "channels_last" else 2
    before = np.moveaxis(keras.ops.convert_to_numpy(layer(x)), time, 1)
    later = np.moveaxis(x.copy(), time, 1)
    later[:, 4:] = 100.0
    after = keras.ops.convert_to_numpy(layer(np.moveaxis(later, 1, time)))
    after = np.moveaxis(after, time, 1)
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert not np.array_equal(before[:, 4:], after[:, 4:])


def test_data_formats_agree(backend: Backend) -> None:
    last = keras.layers.Conv2D(4, 3, padding="same", bias_initializer="ones")
    first = keras.layers.Conv2D(4, 3, padding="same", data_format="channels_first")
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype("float32")
    y = keras.ops.convert_to_numpy(last(x))
    first.build((2, 3, 5, 6))
    first.set_weights(last.get_weights())
    z = keras.ops.convert_to_numpy(first(np.moveaxis(x, -1, 1)))
    assert_near(np.moveaxis(z, 1, -1), y, terms=27)


def test_weights_have_the_shapes_of_keras() -> None:
    layer = keras.layers.Conv2D(8, (3, 2), groups=2)
    layer.build((None, 9, 9, 6))
    assert [w.shape for w in layer.get_weights()] == [(3, 2, 3, 8), (8,)]
    assert (layer.kernel_size, layer.strides) == ((3, 2), (1, 1))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"filters": 0, "kernel_size": 3}, "filters"),
        ({"filters": 3, "kernel_size": 0}, "kernel_size"),
        ({"filters": 3, "kernel_size": (1, 2, 3)}, "kernel_size"),
        ({"filters": 3, "kernel_size": 3, "strides": 0}, "strides"),
        ({"filters": 3, "kernel_size": 3, "padding": "smae"}, "same"),
        ({"filters": 3, "kernel_size": 3, "padding": "causal"}, "causal"),
        ({"filters": 3, "kernel_size": 3, "groups": 2}, "groups"),
        ({"filters": 3, "kernel_size": 3, "data_format": "first"}, "channels_first"),
    ],
)
def test_refuses_arguments(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ArgumentError, match=match):
        keras.layers.Conv2D(**arguments)


def test_refuses_inputs(backend: Backend) -> None:
    layer = keras.layers.Conv2D(4, 3, groups=2)
    with pytest.raises(ShapeError, match="expected 4 axes, found 3"):
        layer(np.ones((1, 5, 5), "float32"))
    with pytest.raises(ArgumentError, match="3 channels"):
        layer(np.ones((1, 5, 5, 3), "float32"))
    with pytest.raises(ShapeError, match="must be known"):
        layer(keras.Input((5, 5, None)))
    layer(np.ones((1, 5, 5, 2), "float32"))
    with pytest.raises(ShapeError, match="size 2"):
        layer(np.ones((1, 5, 5, 4), "float32"))


def test_refuses_windows_that_do_not_fit(backend: Backend) -> None:
    with pytest.raises(ShapeError, match="at least 3 cells"):
        keras.layers.Conv2D(4, 3)(keras.Input((2, 5, 1)))
