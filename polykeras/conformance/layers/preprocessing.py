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
    LayerCase("Discretization", {"bin_boundaries": [-1.0, 0.5]}, (2, 3), (2, 3)),
    LayerCase(
        "Discretization",
        {"bin_boundaries": [-1.0, 0.5], "output_mode": "count"},
        (2, 4),
        (2, 3),
    ),
    LayerCase(
        "CategoryEncoding",
        {"num_tokens": 4, "output_mode": "one_hot"},
        (3, 1),
        (3, 4),
        integers=5,
    ),
    LayerCase("CategoryEncoding", {"num_tokens": 4}, (2, 3), (2, 4), integers=4),
    LayerCase("IntegerLookup", {"vocabulary": [3, 1, 7]}, (2, 3), (2, 3), integers=9),
    LayerCase(
        "IntegerLookup",
        {"vocabulary": [3, 1], "output_mode": "count", "num_oov_indices": 2},
        (2, 3),
        (2, 4),
        integers=9,
    ),
    LayerCase("Resizing", {"height": 3, "width": 6}, (2, 4, 5, 3), (2, 3, 6, 3)),
    LayerCase("CenterCrop", {"height": 2, "width": 3}, (2, 4, 5, 3), (2, 2, 3, 3)),
    LayerCase("CenterCrop", {"height": 5, "width": 3}, (2, 4, 5, 3), (2, 5, 3, 3)),
    *(
        LayerCase(
            cls,
            {**args, "seed": 3},
            (4, 4, 5, 2),
            (4, 3, 2, 2) if cls == "RandomCrop" else (4, 4, 5, 2),
            random_training=True,
            call={"training": False},
            terms=64,
        )
        for cls, args in (
            ("RandomFlip", {}),
            ("RandomRotation", {"factor": 0.2}),
            ("RandomZoom", {"height_factor": 0.3, "fill_mode": "constant"}),
            (
                "RandomTranslation",
                {"height_factor": 0.3, "width_factor": 0.2, "fill_mode": "nearest"},
            ),
            ("RandomCrop", {"height": 3, "width": 2}),
            ("RandomContrast", {"factor": 0.4, "value_range": (-4, 4)}),
            ("RandomBrightness", {"factor": 0.2, "value_range": (-4, 4)}),
        )
    ),
]
