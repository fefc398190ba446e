"""Layers: one file each, families sharing a rank-generic base."""

from polykeras.layers._input_spec import InputSpec
from polykeras.layers.core.dense import Dense
from polykeras.layers.core.input_layer import Input, InputLayer
from polykeras.layers.layer import Layer

__all__ = ["Dense", "Input", "InputLayer", "InputSpec", "Layer"]
