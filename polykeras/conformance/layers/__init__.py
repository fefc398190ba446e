"""Cases of all layers: one file per family, named as those of `polykeras.layers`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final

from polykeras.conformance._layer_case import LayerCase

__all__ = ["FAMILIES", "all_layer_cases"]

FAMILIES: Final = (
    "activation",
    "attention",
    "convolutional",
    "core",
    "merging",
    "normalization",
    "pooling",
    "preprocessing",
    "recurrent",
    "regularization",
    "reshaping",
)


@cache
def all_layer_cases() -> tuple[LayerCase, ...]:
    """Return the cases of every family."""
    modules = (import_module(f"{__name__}.{family}") for family in FAMILIES)
    return tuple(case for module in modules for case in module.CASES)
