"""Cases of the activation layers."""

from __future__ import annotations

from typing import Final

from polykeras.conformance._layer_case import LayerCase

__all__ = ["CASES"]

CASES: Final = [
    LayerCase("ReLU", {}, (2, 5), (2, 5), keeps_mask=True),
    LayerCase(
        "ReLU",
        {"max_value": 1.0, "negative_slope": 0.25, "threshold": 0.5},
        (2, 3, 4),
        (2, 3, 4),
        unknown=(None, None, None),
        unknown_output=(None, None, None),
    ),
    LayerCase("LeakyReLU", {"negative_slope": 0.5}, (2, 5), (2, 5), keeps_mask=True),
    LayerCase("ELU", {"alpha": 0.5}, (2, 5), (2, 5), keeps_mask=True),
    LayerCase("PReLU", {}, (2, 3, 4), (2, 3, 4), weights=1, keeps_mask=True),
    LayerCase(
        "PReLU",
        {"shared_axes": [1, 2]},
        (2, 3, 3, 4),
        (2, 3, 3, 4),
        weights=1,
        unknown=(None, None, None, 4),
        unknown_output=(None, None, None, 4),
    ),
    LayerCase("Softmax", {}, (2, 3, 4), (2, 3, 4)),
    LayerCase("Softmax", {"axis": [1, 2]}, (2, 3, 4), (2, 3, 4)),
    LayerCase("Activation", {"activation": "gelu"}, (2, 5), (2, 5), keeps_mask=True),
]
