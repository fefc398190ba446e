"""Preprocessing layers that need no TensorFlow in Keras."""

from __future__ import annotations

from tests.peer._case import floats, given, ints
from tests.peer._layer import layer

__all__ = ["CASES"]

IMAGES = floats(1, 5, 6, 2, low=0)
PICTURE = floats(5, 6, 2, low=0)
BYTES = ints(256, 1, 5, 6, 2, dtype="uint8")
SQUARE = floats(1, 4, 4, 1, low=0)
UNIT = {"value_range": [0.0, 1.0]}
TABLE = floats(6, 3, low=-2, high=5)
# Bytes are rounded after the interpolation, and a half falls to either side.
BYTE = {"atol": 1.0}

NUMBERS = [
    layer("Rescaling", {"scale": 0.5, "offset": -1.0}, floats(2, 3)),
    layer(
        "Rescaling", {"scale": [0.5, 1.0, 2.0], "offset": [1, 2, 3]}, floats(2, 4, 3)
    ),
    layer("Rescaling", {"scale": 1 / 255}, BYTES),
    layer("Normalization", {}, floats(2, 3), adapt=TABLE),
    layer("Normalization", {"axis": None}, floats(2, 3), adapt=TABLE),
    layer("Normalization", {"axis": 1, "invert": True}, floats(2, 3), adapt=TABLE),
    layer(
        "Normalization",
        {"axis": [1, 2]},
        floats(2, 2, 3),
        adapt=floats(5, 2, 3, low=-3, high=4),
    ),
    layer(
        "Normalization", {"mean": [1.0, 2, 3], "variance": [4.0, 1, 9]}, floats(2, 3)
    ),
    layer("Discretization", {"bin_boundaries": [-0.5, 0.5]}, floats(2, 3)),
    *(
        layer(
            "Discretization",
            {"bin_boundaries": [-0.5, 0.0, 0.5], "output_mode": mode},
            floats(4, 1) if mode == "one_hot" else floats(2, 4),
        )
        for mode in ("one_hot", "multi_hot", "count")
    ),
    layer(
        "Discretization",
        {"num_bins": 3},
        floats(2, 3),
        adapt=floats(40, low=-1, high=1),
    ),
    layer("CategoryEncoding", {"num_tokens": 4, "output_mode": "one_hot"}, ints(4, 3)),
    layer("CategoryEncoding", {"num_tokens": 4}, ints(4, 2, 3)),
    layer("CategoryEncoding", {"num_tokens": 4, "output_mode": "count"}, ints(4, 2, 3)),
    layer(
        "CategoryEncoding",
        {"num_tokens": 4, "output_mode": "count"},
        ints(4, 2, 3),
        call={"count_weights": floats(2, 3, low=0, high=2)},
    ),
]
SIZES = [
    layer("Resizing", {"height": 3, "width": 4}, IMAGES),
    layer("Resizing", {"height": 3, "width": 4}, BYTES, **BYTE),
    layer("Resizing", {"height": 8, "width": 4, "antialias": True}, IMAGES),
    layer("Resizing", {"height": 3, "width": 3, "interpolation": "nearest"}, PICTURE),
    layer("Resizing", {"height": 4, "width": 3, "interpolation": "bicubic"}, IMAGES),
    layer("Resizing", {"height": 4, "width": 4, "crop_to_aspect_ratio": True}, IMAGES),
    layer(
        "Resizing",
        {"height": 6, "width": 3, "pad_to_aspect_ratio": True, "fill_value": 0.5},
        SQUARE,
    ),
    layer(
        "Resizing",
        {"height": 3, "width": 4, "data_format": "channels_first"},
        floats(1, 2, 5, 6, low=0),
    ),
    layer("CenterCrop", {"height": 3, "width": 2}, IMAGES),
    layer("CenterCrop", {"height": 3, "width": 3}, PICTURE),
    layer("CenterCrop", {"height": 7, "width": 3}, IMAGES),
    layer("CenterCrop", {"height": 2, "width": 3}, BYTES, **BYTE),
]
# Ranges of one number draw nothing, so that random layers can be compared, too. Where
# a place falls on a border, the engines of Keras take different sides.
BORDER = {"engine": "jax"}
RANDOM = [
    layer("RandomCrop", {"height": 5, "width": 6}, IMAGES, call={"training": True}),
    layer("RandomRotation", {"factor": [0.1, 0.1]}, IMAGES),
    layer(
        "RandomRotation",
        {"factor": [-0.3, -0.3], "fill_mode": "constant", "fill_value": 0.5},
        IMAGES,
    ),
    layer(
        "RandomRotation",
        {"factor": [0.25, 0.25], "interpolation": "nearest", "fill_mode": "nearest"},
        SQUARE,
    ),
    layer("RandomZoom", {"height_factor": [0.3, 0.3]}, IMAGES, **BORDER),
    layer(
        "RandomZoom",
        {
            "height_factor": [-0.3, -0.3],
            "width_factor": [0.2, 0.2],
            "fill_mode": "wrap",
        },
        IMAGES,
        **BORDER,
    ),
    layer(
        "RandomTranslation",
        {"height_factor": [0.2, 0.2], "width_factor": [-0.3, -0.3]},
        IMAGES,
        **BORDER,
    ),
    layer(
        "RandomTranslation",
        {
            "height_factor": [-0.25, -0.25],
            "width_factor": [0.1, 0.1],
            "fill_mode": "constant",
        },
        PICTURE,
    ),
    layer("RandomContrast", {"factor": 0.0, **UNIT}, IMAGES),
    layer("RandomBrightness", {"factor": [0.25, 0.25], **UNIT}, IMAGES),
    layer("RandomBrightness", {"factor": [-0.3, -0.3]}, given([[[10.0], [250.0]]])),
    layer("RandomFlip", {}, IMAGES, call={"training": False}),
    *(
        layer(cls, {name: [0.2, 0.2]}, IMAGES, call={"training": False})
        for cls, name in (
            ("RandomRotation", "factor"),
            ("RandomZoom", "height_factor"),
            ("RandomBrightness", "factor"),
        )
    ),
]
CASES = [*NUMBERS, *SIZES, *RANDOM]
