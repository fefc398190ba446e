"""Layers that move values and compute nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, ShapeError


def _run(layer: Any, x: Any) -> Any:
    return keras.ops.convert_to_numpy(layer(x))


def test_values_equal_those_of_numpy(backend: Backend) -> None:
    layers, x = keras.layers, np.arange(48, dtype="float32").reshape(2, 3, 4, 2)
    wide = np.pad(x, ((0, 0), (1, 2), (0, 3), (0, 0)))
    for layer, expected in (
        (layers.Flatten(), x.reshape(2, -1)),
        (
            layers.Flatten(data_format="channels_first"),
            np.moveaxis(x, 1, -1).reshape(2, -1),
        ),
        (layers.Reshape((4, -1)), x.reshape(2, 4, 6)),
        (layers.Permute((2, 3, 1)), x.transpose(0, 2, 3, 1)),
        (layers.ZeroPadding2D(((1, 2), (0, 3))), wide),
        (layers.Cropping2D(((1, 0), (1, 2))), x[:, 1:, 1:2]),
        (layers.UpSampling2D((2, 1)), x.repeat(2, axis=1)),
    ):
        np.testing.assert_array_equal(_run(layer, x), expected)
    np.testing.assert_array_equal(
        _run(layers.RepeatVector(2), x[:, 0, 0]), np.stack([x[:, 0, 0]] * 2, axis=1)
    )


def test_flatten_takes_empty_batches(backend: Backend) -> None:
    assert _run(keras.layers.Flatten(), np.ones((0, 3, 4), "float32")).shape == (0, 12)


@pytest.mark.parametrize(
    ("name", "arguments", "match"),
    [
        ("Reshape", {"target_shape": (-1, -1)}, "at most one"),
        ("Reshape", {"target_shape": (-2,)}, "target_shape"),
        ("Permute", {"dims": (0, 1)}, "batch axis"),
        ("Permute", {"dims": (1, 3)}, "1 to 2"),
        ("RepeatVector", {"n": 0}, "positive int"),
        ("ZeroPadding1D", {"padding": (1, 2, 3)}, "padding"),
        ("ZeroPadding2D", {"padding": -1}, "at least 0"),
        ("ZeroPadding3D", {"padding": ((1, 1), (1, 1))}, "3 of them"),
        ("Cropping2D", {"cropping": ((1, 1), (1,))}, "pair"),
        ("UpSampling2D", {"size": 0}, "size"),
        ("UpSampling2D", {"interpolation": "linear"}, "bilinear"),
    ],
)
def test_refuses_arguments(name: str, arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ArgumentError, match=match):
        getattr(keras.layers, name)(**arguments)


def test_refuses_shapes(backend: Backend) -> None:
    with pytest.raises(ShapeError, match=r"12 values, to \(5, -1\)"):
        keras.layers.Reshape((5, -1))(keras.Input((3, 4)))
    with pytest.raises(ShapeError, match="crop everything"):
        keras.layers.Cropping1D(2)(np.ones((1, 4, 1), "float32"))
    with pytest.raises(ShapeError, match="expected 3 axes"):
        keras.layers.Permute((2, 1))(np.ones((1, 4), "float32"))
