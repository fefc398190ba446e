"""Layers, and what they are called with, for the comparison with Keras.

The module imports neither library, so that both can read it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["CASES", "arrays", "inputs", "name_of"]

Case = tuple[str, dict[str, Any], Any, dict[str, Any]]

IMAGES = (2, 5, 6, 3)
BYTES = "bytes"  # uint8 images from 0 to 255

# Class, arguments of the constructor, shape of the input, arguments of the call.
# Ranges of one number draw nothing, so random layers can be compared, too.
CASES: list[Case] = [
    ("Resizing", {"height": 3, "width": 4}, IMAGES, {}),
    ("Resizing", {"height": 3, "width": 4}, (BYTES, *IMAGES), {}),
    ("Resizing", {"height": 8, "width": 4, "antialias": True}, IMAGES, {}),
    (
        "Resizing",
        {"height": 3, "width": 3, "interpolation": "nearest"},
        (5, 6, 3),
        {},
    ),
    (
        "Resizing",
        {"height": 4, "width": 3, "interpolation": "bicubic"},
        IMAGES,
        {},
    ),
    (
        "Resizing",
        {"height": 4, "width": 4, "crop_to_aspect_ratio": True},
        IMAGES,
        {},
    ),
    (
        "Resizing",
        {"height": 6, "width": 3, "pad_to_aspect_ratio": True, "fill_value": 0.5},
        (2, 4, 4, 1),
        {},
    ),
    ("CenterCrop", {"height": 3, "width": 2}, IMAGES, {}),
    ("CenterCrop", {"height": 3, "width": 3}, (5, 6, 3), {}),
    ("CenterCrop", {"height": 7, "width": 3}, IMAGES, {}),
    ("CenterCrop", {"height": 2, "width": 3}, (BYTES, *IMAGES), {}),
    ("RandomCrop", {"height": 5, "width": 6}, IMAGES, {"training": True}),
    ("RandomRotation", {"factor": [0.1, 0.1]}, IMAGES, {}),
    (
        "RandomRotation",
        {"factor": [-0.3, -0.3], "fill_mode": "constant", "fill_value": 0.5},
        IMAGES,
        {},
    ),
    (
        "RandomRotation",
        {"factor": [0.25, 0.25], "interpolation": "nearest", "fill_mode": "nearest"},
        (2, 4, 4, 1),
        {},
    ),
    ("RandomZoom", {"height_factor": [0.3, 0.3]}, IMAGES, {}),
    (
        "RandomZoom",
        {
            "height_factor": [-0.3, -0.3],
            "width_factor": [0.2, 0.2],
            "fill_mode": "wrap",
        },
        IMAGES,
        {},
    ),
    (
        "RandomTranslation",
        {"height_factor": [0.2, 0.2], "width_factor": [-0.3, -0.3]},
        IMAGES,
        {},
    ),
    (
        "RandomTranslation",
        {
            "height_factor": [-0.25, -0.25],
            "width_factor": [0.1, 0.1],
            "fill_mode": "constant",
        },
        (5, 6, 3),
        {},
    ),
    ("RandomContrast", {"factor": 0.0, "value_range": [0.0, 1.0]}, IMAGES, {}),
    (
        "RandomBrightness",
        {"factor": [0.2, 0.2], "value_range": [0.0, 1.0]},
        IMAGES,
        {},
    ),
    ("RandomFlip", {}, IMAGES, {"training": False}),
    ("ConvLSTM1D", {"filters": 2, "kernel_size": 3}, (2, 3, 6, 2), {}),
    (
        "ConvLSTM1D",
        {"filters": 2, "kernel_size": 2, "strides": 2, "return_sequences": True},
        (2, 3, 6, 2),
        {},
    ),
    (
        "ConvLSTM2D",
        {
            "filters": 2,
            "kernel_size": 3,
            "padding": "same",
            "return_sequences": True,
            "return_state": True,
        },
        (2, 3, 4, 5, 2),
        {},
    ),
    (
        "ConvLSTM2D",
        {
            "filters": 2,
            "kernel_size": [2, 3],
            "dilation_rate": [2, 1],
            "go_backwards": True,
            "recurrent_activation": "hard_sigmoid",
            "use_bias": False,
        },
        (2, 3, 4, 5, 2),
        {},
    ),
    ("ConvLSTM3D", {"filters": 1, "kernel_size": 2}, (1, 2, 3, 3, 3, 2), {}),
    ("SpectralNormalization", {"layer": ["Dense", {"units": 3}]}, (4, 5), {}),
    (
        "SpectralNormalization",
        {"layer": ["Dense", {"units": 3}], "power_iterations": 3},
        (4, 5),
        {"training": True},
    ),
    (
        "SpectralNormalization",
        {"layer": ["Conv2D", {"filters": 3, "kernel_size": 2}]},
        IMAGES,
        {"training": True},
    ),
]


def name_of(case: Case) -> str:
    """Return a name for a case."""
    cls, kwargs, shape, call = case
    return f"{cls} {kwargs} {shape} {call}"


def arrays(shapes: Any, seed: int = 0) -> Any:
    """Return the same arrays each time: floats from 0 to 1, or bytes."""
    if isinstance(shapes, list):
        return [arrays(s, seed + i) for i, s in enumerate(shapes)]
    rng = np.random.default_rng(seed)
    if shapes and shapes[0] == BYTES:
        return rng.integers(0, 256, shapes[1:]).astype("uint8")
    return rng.uniform(0.0, 1.0, shapes).astype("float32")


def inputs(case: Case) -> Any:
    """Return what the layer of a case is called on."""
    return arrays(case[2])
