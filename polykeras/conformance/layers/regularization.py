"""Cases of the regularization layers."""

from __future__ import annotations

from typing import Final

from polykeras.conformance._layer_case import LayerCase

__all__ = ["CASES"]

CASES: Final = [
    LayerCase(
        "Dropout",
        {"rate": 0.5, "seed": 3},
        (4, 6),
        (4, 6),
        random_training=True,
        unknown=(None, None),
        unknown_output=(None, None),
    ),
    LayerCase("Dropout", {"rate": 0.0}, (2, 3), (2, 3)),
    LayerCase(
        "Dropout",
        {"rate": 0.5, "noise_shape": (None, 1, None), "seed": 3},
        (3, 4, 5),
        (3, 4, 5),
        random_training=True,
        keeps_mask=True,
    ),
    LayerCase(
        "SpatialDropout1D",
        {"rate": 0.5, "seed": 1},
        (3, 4, 5),
        (3, 4, 5),
        random_training=True,
        keeps_mask=True,
    ),
    LayerCase(
        "SpatialDropout2D",
        {"rate": 0.5, "data_format": "channels_first", "seed": 1},
        (3, 5, 2, 2),
        (3, 5, 2, 2),
        random_training=True,
    ),
    LayerCase(
        "SpatialDropout3D",
        {"rate": 0.5, "seed": 1},
        (2, 2, 2, 2, 5),
        (2, 2, 2, 2, 5),
        random_training=True,
    ),
    LayerCase(
        "GaussianNoise",
        {"stddev": 0.5, "seed": 3},
        (3, 4),
        (3, 4),
        random_training=True,
    ),
    LayerCase(
        "GaussianDropout",
        {"rate": 0.5, "seed": 3},
        (3, 4),
        (3, 4),
        random_training=True,
    ),
    LayerCase(
        "AlphaDropout",
        {"rate": 0.5, "noise_shape": (None, 4), "seed": 3},
        (3, 4),
        (3, 4),
        random_training=True,
    ),
    LayerCase("ActivityRegularization", {"l1": 0.1}, (3, 4), (3, 4), keeps_mask=True),
]
