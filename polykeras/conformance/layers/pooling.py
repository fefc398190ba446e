"""Cases of the pooling layers."""

from __future__ import annotations

from typing import Final

from polykeras.conformance._layer_case import LayerCase

__all__ = ["CASES"]

CASES: Final = [
    LayerCase(
        "MaxPooling1D",
        {"pool_size": 2},
        (2, 5, 3),
        (2, 2, 3),
        unknown=(None, None, 3),
        unknown_output=(None, None, 3),
    ),
    LayerCase(
        "MaxPooling2D",
        {"pool_size": 3, "strides": 2, "padding": "same"},
        (2, 5, 6, 3),
        (2, 3, 3, 3),
    ),
    LayerCase(
        "MaxPooling2D",
        {"pool_size": (2, 1), "data_format": "channels_first"},
        (2, 3, 5, 6),
        (2, 3, 2, 6),
    ),
    LayerCase("MaxPooling3D", {}, (1, 2, 4, 3, 2), (1, 1, 2, 1, 2)),
    LayerCase(
        "AveragePooling1D",
        {"pool_size": 3, "strides": 1, "padding": "same"},
        (2, 5, 3),
        (2, 5, 3),
    ),
    LayerCase(
        "AveragePooling2D",
        {"pool_size": 2},
        (2, 5, 6, 3),
        (2, 2, 3, 3),
        unknown=(None, None, None, None),
        unknown_output=(None, None, None, None),
    ),
    LayerCase(
        "AveragePooling3D",
        {"pool_size": 2, "data_format": "channels_first"},
        (1, 2, 2, 4, 4),
        (1, 2, 1, 2, 2),
    ),
    LayerCase("GlobalMaxPooling1D", {}, (2, 5, 3), (2, 3)),
    LayerCase("GlobalMaxPooling2D", {"keepdims": True}, (2, 4, 5, 3), (2, 1, 1, 3)),
    LayerCase(
        "GlobalMaxPooling3D",
        {"data_format": "channels_first"},
        (2, 3, 2, 2, 2),
        (2, 3),
    ),
    LayerCase(
        "GlobalAveragePooling1D",
        {},
        (2, 5, 3),
        (2, 3),
        unknown=(None, None, 3),
        unknown_output=(None, 3),
        keeps_mask=False,
    ),
    LayerCase("GlobalAveragePooling2D", {}, (2, 4, 5, 3), (2, 3), terms=32),
    LayerCase(
        "GlobalAveragePooling3D",
        {"data_format": "channels_first", "keepdims": True},
        (2, 3, 2, 2, 2),
        (2, 3, 1, 1, 1),
    ),
    LayerCase(
        "AdaptiveAveragePooling2D",
        {"output_size": (2, 3)},
        (2, 5, 7, 3),
        (2, 2, 3, 3),
    ),
    LayerCase("AdaptiveAveragePooling1D", {"output_size": 4}, (2, 6, 3), (2, 4, 3)),
    LayerCase(
        "AdaptiveAveragePooling3D", {"output_size": 1}, (1, 2, 3, 2, 2), (1, 1, 1, 1, 2)
    ),
    LayerCase("AdaptiveMaxPooling1D", {"output_size": 2}, (2, 5, 3), (2, 2, 3)),
    LayerCase(
        "AdaptiveMaxPooling2D",
        {"output_size": (None, 2), "data_format": "channels_first"},
        (2, 3, 5, 4),
        (2, 3, 5, 2),
    ),
    LayerCase(
        "AdaptiveMaxPooling3D", {"output_size": 2}, (1, 2, 3, 4, 2), (1, 2, 2, 2, 2)
    ),
]
