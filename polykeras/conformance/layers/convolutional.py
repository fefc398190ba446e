"""Cases of the convolutional layers."""

from __future__ import annotations

from typing import Final

from polykeras.conformance._layer_case import LayerCase

__all__ = ["CASES"]

_CONV: Final = [
    LayerCase(
        "Conv1D",
        {"filters": 4, "kernel_size": 3, "activation": "relu"},
        (2, 7, 3),
        (2, 5, 4),
        weights=2,
        unknown=(None, None, 3),
        unknown_output=(None, None, 4),
    ),
    LayerCase(
        "Conv1D",
        {"filters": 2, "kernel_size": 3, "padding": "causal", "dilation_rate": 2},
        (2, 7, 3),
        (2, 7, 2),
        weights=2,
    ),
    LayerCase(
        "Conv2D",
        {"filters": 4, "kernel_size": (3, 2), "strides": (2, 1), "padding": "same"},
        (2, 7, 6, 3),
        (2, 4, 6, 4),
        weights=2,
        terms=32,
        unknown=(None, None, None, 3),
        unknown_output=(None, None, None, 4),
    ),
    LayerCase(
        "Conv2D",
        {"filters": 4, "kernel_size": 2, "groups": 2, "use_bias": False},
        (2, 5, 5, 6),
        (2, 4, 4, 4),
        weights=1,
    ),
    LayerCase(
        "Conv2D",
        {"filters": 4, "kernel_size": 2, "data_format": "channels_first"},
        (2, 3, 5, 6),
        (2, 4, 4, 5),
        weights=2,
        unknown=(None, 3, None, None),
        unknown_output=(None, 4, None, None),
    ),
    LayerCase(
        "Conv3D",
        {"filters": 2, "kernel_size": 2, "dilation_rate": (1, 2, 1)},
        (1, 3, 4, 3, 2),
        (1, 2, 2, 2, 2),
        weights=2,
    ),
]

_OTHER_CONVS: Final = [
    LayerCase(
        "Conv1DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": 2},
        (2, 4, 3),
        (2, 9, 2),
        weights=2,
        unknown=(None, None, 3),
        unknown_output=(None, None, 2),
    ),
    LayerCase(
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"},
        (2, 3, 4, 3),
        (2, 6, 8, 2),
        weights=2,
        terms=32,
    ),
    LayerCase(
        "Conv2DTranspose",
        {
            "filters": 2,
            "kernel_size": 3,
            "strides": 2,
            "padding": "same",
            "output_padding": 0,
            "data_format": "channels_first",
        },
        (2, 3, 4, 3),
        (2, 2, 7, 5),
        weights=2,
        terms=32,
    ),
    LayerCase(
        "Conv3DTranspose",
        {"filters": 2, "kernel_size": 2, "use_bias": False},
        (1, 2, 3, 2, 2),
        (1, 3, 4, 3, 2),
        weights=1,
    ),
    LayerCase(
        "DepthwiseConv1D",
        {"kernel_size": 3, "depth_multiplier": 2, "activation": "tanh"},
        (2, 6, 3),
        (2, 4, 6),
        weights=2,
    ),
    LayerCase(
        "DepthwiseConv2D",
        {"kernel_size": 3, "strides": 2, "padding": "same"},
        (2, 5, 6, 3),
        (2, 3, 3, 3),
        weights=2,
        unknown=(None, None, None, 3),
        unknown_output=(None, None, None, 3),
    ),
    LayerCase(
        "DepthwiseConv2D",
        {"kernel_size": 2, "depth_multiplier": 2, "data_format": "channels_first"},
        (2, 3, 5, 6),
        (2, 6, 4, 5),
        weights=2,
    ),
    LayerCase(
        "SeparableConv1D",
        {"filters": 4, "kernel_size": 3, "padding": "same"},
        (2, 6, 3),
        (2, 6, 4),
        weights=3,
        terms=32,
    ),
    LayerCase(
        "SeparableConv2D",
        {"filters": 4, "kernel_size": 2, "depth_multiplier": 2, "dilation_rate": 2},
        (2, 5, 5, 3),
        (2, 3, 3, 4),
        weights=3,
        terms=32,
    ),
]

CASES: Final = (*_CONV, *_OTHER_CONVS)
