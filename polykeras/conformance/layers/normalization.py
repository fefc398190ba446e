"""Cases of the normalization layers."""

from __future__ import annotations

from typing import Any, Final

from polykeras import layers
from polykeras.conformance._layer_case import LayerCase

__all__ = ["CASES"]

_NORMALIZATION_LAYERS: Final = [
    LayerCase(
        "LayerNormalization",
        {},
        (2, 5, 4),
        (2, 5, 4),
        weights=2,
        keeps_mask=True,
        terms=64,
        unknown=(None, None, 4),
        unknown_output=(None, None, 4),
    ),
    LayerCase(
        "LayerNormalization",
        {"axis": [1, 2], "scale": False},
        (2, 3, 4),
        (2, 3, 4),
        weights=1,
        terms=64,
    ),
    LayerCase("RMSNormalization", {}, (2, 5), (2, 5), weights=1, terms=64),
    LayerCase(
        "RMSNormalization", {"axis": (1, 2)}, (2, 3, 4), (2, 3, 4), weights=1, terms=64
    ),
    LayerCase("UnitNormalization", {}, (2, 5), (2, 5), keeps_mask=True, terms=64),
    LayerCase("UnitNormalization", {"axis": [1, 2]}, (2, 3, 4), (2, 3, 4), terms=64),
    LayerCase(
        "GroupNormalization",
        {"groups": 2},
        (2, 3, 3, 4),
        (2, 3, 3, 4),
        weights=2,
        terms=128,
        unknown=(None, None, None, 4),
        unknown_output=(None, None, None, 4),
    ),
    LayerCase(
        "GroupNormalization",
        {"groups": -1, "axis": 1, "center": False},
        (2, 4, 5),
        (2, 4, 5),
        weights=1,
        terms=64,
    ),
]

_BATCH_NORMALIZATION: Final = [
    LayerCase(
        "BatchNormalization",
        {},
        (4, 5, 3),
        (4, 5, 3),
        weights=4,
        trainable=2,
        random_training=True,
        keeps_mask=True,
        terms=64,
        unknown=(None, None, 3),
        unknown_output=(None, None, 3),
    ),
    LayerCase(
        "BatchNormalization",
        {"axis": 1, "scale": False, "momentum": 0.5, "epsilon": 1e-5},
        (4, 3, 2, 2),
        (4, 3, 2, 2),
        weights=3,
        trainable=1,
        random_training=True,
        terms=64,
    ),
    LayerCase(
        "BatchNormalization",
        {"center": False, "scale": False},
        (4, 3),
        (4, 3),
        weights=2,
        trainable=0,
        random_training=True,
        terms=64,
    ),
]


def _wrapped(dtype: Any) -> dict[str, Any]:
    return {"layer": layers.Dense(3, dtype=dtype, name="inner"), "power_iterations": 2}


_SPECTRAL: Final = [
    LayerCase(
        "SpectralNormalization",
        _wrapped,
        (4, 5),
        (4, 3),
        weights=3,
        trainable=2,
        random_training=True,
        terms=64,
    ),
]

CASES: Final = (*_NORMALIZATION_LAYERS, *_BATCH_NORMALIZATION, *_SPECTRAL)
