"""Cases of the merging layers."""

from __future__ import annotations

from typing import Final

from polykeras.conformance._layer_case import LayerCase

__all__ = ["CASES"]

TWO = [(2, 3), (2, 3)]
CASES: Final = [
    LayerCase("Add", {}, [(2, 3), (2, 3), (2, 1)], (2, 3)),
    LayerCase(
        "Add",
        {},
        [(2, 4), (2, 3, 4)],
        (2, 3, 4),
        unknown=[(None, 4), (None, None, 4)],
        unknown_output=(None, None, 4),
    ),
    LayerCase("Subtract", {}, TWO, (2, 3)),
    LayerCase("Multiply", {}, [(2, 3), (2, 3), (2, 3)], (2, 3)),
    LayerCase("Average", {}, TWO, (2, 3)),
    LayerCase("Maximum", {}, TWO, (2, 3)),
    LayerCase("Minimum", {}, TWO, (2, 3)),
    LayerCase("Concatenate", {}, [(2, 3), (2, 1), (2, 2)], (2, 6)),
    LayerCase(
        "Concatenate",
        {"axis": 1},
        [(2, 3, 4), (2, 5, 4)],
        (2, 8, 4),
        unknown=[(None, None, 4), (None, 5, 4)],
        unknown_output=(None, None, 4),
    ),
    LayerCase("Dot", {"axes": 1}, [(2, 5), (2, 5)], (2, 1)),
    LayerCase("Dot", {"axes": (2, 1)}, [(2, 3, 5), (2, 5, 4)], (2, 3, 4)),
    LayerCase(
        "Dot", {"axes": -1, "normalize": True}, [(2, 3, 5), (2, 4, 5)], (2, 3, 4)
    ),
    LayerCase("Dot", {"axes": 1}, [(2, 4), (2, 4, 3)], (2, 3)),
]
