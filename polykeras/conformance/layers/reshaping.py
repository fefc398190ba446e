"""Cases of the reshaping layers."""

from __future__ import annotations

from typing import Final

from polykeras.conformance._layer_case import LayerCase

__all__ = ["CASES"]

CASES: Final = [
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
