"""Transposed, depthwise and separable convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError


def test_transpose_is_the_adjoint(backend: Backend) -> None:
    conv = keras.layers.Conv2D(4, 3, strides=2, use_bias=False)
    back = keras.layers.Conv2DTranspose(3, 3, strides=2, use_bias=False)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 7, 7, 3)).astype("float32")
    y = rng.normal(size=(1, 3, 3, 4)).astype("float32")
    forward = keras.ops.convert_to_numpy(conv(x))
    back.build(y.shape)
    back.set_weights(conv.get_weights())
    backward = keras.ops.convert_to_numpy(back(y))
    assert_near(
        np.array((forward * y).sum(), "float32"),
        np.array((x * backward).sum(), "float32"),
        terms=forward.size * 27,
    )


def test_separable_is_depthwise_then_pointwise(backend: Backend) -> None:
    x = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
    layer = keras.layers.SeparableConv1D(4, 3, depth_multiplier=2)
    y = layer(x)
    depthwise, pointwise, bias = layer.get_weights()
    first = keras.layers.DepthwiseConv1D(3, depth_multiplier=2, use_bias=False)
    first.build(x.shape)
    first.set_weights([depthwise])
    second = keras.layers.Conv1D(4, 1)
    second.build((2, 4, 6))
    second.set_weights([pointwise, bias])
    assert_near(y, second(first(x)), terms=18)


def test_conv_3d_transpose_keeps_keras_order_of_arguments() -> None:
    layer = keras.layers.Conv3DTranspose(1, 2, 2, "valid", "channels_first", 1)
    assert layer.data_format == "channels_first"
    assert layer.output_padding == (1, 1, 1)


@pytest.mark.parametrize(
    ("name", "arguments", "match"),
    [
        ("Conv2DTranspose", {"filters": -1, "kernel_size": 3}, "filters"),
        (
            "Conv2DTranspose",
            {"filters": 1, "kernel_size": 3, "strides": 2, "output_padding": 2},
            "output_padding",
        ),
        ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 0}, "multiplier"),
        ("SeparableConv2D", {"filters": 2.5, "kernel_size": 3}, "filters"),
    ],
)
def test_refuses_arguments(name: str, arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ArgumentError, match=match):
        getattr(keras.layers, name)(**arguments)
