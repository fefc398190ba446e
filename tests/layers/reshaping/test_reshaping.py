"""Layers that move values and compute nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, ShapeError
from tests.layers._case import LayerCase

CASES = [
    LayerCase("Flatten", {}, (2, 3, 4), (2, 12)),
    LayerCase(
        "Flatten",
        {},
        (2,),
        (2, 1),
    ),
    LayerCase(
        "Flatten",
        {"data_format": "channels_first"},
        (2, 3, 2, 2),
        (2, 12),
        unknown=(None, 3, None, 2),
        unknown_output=(None, None),
    ),
    LayerCase("Reshape", {"target_shape": (3, 4)}, (2, 12), (2, 3, 4)),
    LayerCase(
        "Reshape",
        {"target_shape": (-1, 2)},
        (2, 3, 4),
        (2, 6, 2),
        unknown=(None, None, 4),
        unknown_output=(None, None, 2),
    ),
    LayerCase("Reshape", {"target_shape": ()}, (2, 1), (2,)),
    LayerCase("Permute", {"dims": (3, 1, 2)}, (2, 3, 4, 5), (2, 5, 3, 4)),
    LayerCase("RepeatVector", {"n": 3}, (2, 4), (2, 3, 4)),
    LayerCase("ZeroPadding1D", {"padding": (1, 2)}, (2, 3, 4), (2, 6, 4)),
    LayerCase(
        "ZeroPadding1D",
        {"padding": 1, "data_format": "channels_first"},
        (2, 3, 4),
        (2, 3, 6),
    ),
    LayerCase(
        "ZeroPadding2D",
        {"padding": ((1, 0), (2, 3))},
        (2, 3, 4, 2),
        (2, 4, 9, 2),
        unknown=(None, None, None, 2),
        unknown_output=(None, None, None, 2),
    ),
    LayerCase(
        "ZeroPadding3D", {"padding": (0, 1, 2)}, (1, 1, 2, 3, 2), (1, 1, 4, 7, 2)
    ),
    LayerCase("Cropping1D", {"cropping": (1, 2)}, (2, 6, 3), (2, 3, 3)),
    LayerCase("Cropping2D", {}, (2, 3, 4, 2), (2, 3, 4, 2)),
    LayerCase(
        "Cropping2D",
        {"cropping": (1, 2), "data_format": "channels_first"},
        (2, 3, 4, 6),
        (2, 3, 2, 2),
    ),
    LayerCase("Cropping3D", {}, (1, 3, 4, 5, 2), (1, 1, 2, 3, 2)),
    LayerCase("UpSampling1D", {}, (2, 3, 4), (2, 6, 4)),
    LayerCase(
        "UpSampling2D",
        {"size": (2, 3), "data_format": "channels_first"},
        (1, 2, 3, 4),
        (1, 2, 6, 12),
    ),
    LayerCase(
        "UpSampling2D", {"interpolation": "bilinear"}, (1, 3, 4, 2), (1, 6, 8, 2)
    ),
    LayerCase("UpSampling3D", {"size": (1, 2, 3)}, (1, 2, 2, 2, 1), (1, 2, 4, 6, 1)),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_contract(backend: Backend, case: LayerCase) -> None:
    case.check(backend)


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
