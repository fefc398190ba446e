"""Cases of the preprocessing layers."""

from __future__ import annotations

from typing import Final

from polykeras.conformance._layer_case import LayerCase

__all__ = ["CASES"]

CASES: Final = [
    LayerCase("Rescaling", {"scale": 0.5, "offset": -1.0}, (2, 3), (2, 3)),
    LayerCase(
        "Rescaling",
        {"scale": [0.5, 1.0, 2.0], "offset": (1, 2, 3)},
        (2, 4, 3),
        (2, 4, 3),
        keeps_mask=True,
    ),
    LayerCase("Normalization", {}, (2, 3), (2, 3), weights=3, trainable=0),
    LayerCase(
        "Normalization",
        {"axis": (1, 2), "invert": True},
        (2, 3, 4),
        (2, 3, 4),
        weights=3,
        trainable=0,
    ),
    LayerCase(
        "Normalization",
        {"axis": -1, "mean": [1.0, 2.0, 3.0], "variance": 4.0},
        (2, 4, 3),
        (2, 4, 3),
        unknown=(None, None, 3),
        unknown_output=(None, None, 3),
    ),
    LayerCase("Normalization", {"axis": None}, (2, 3), (2, 3), weights=3, trainable=0),
]
