"""Layers: one file each, families sharing a rank-generic base."""

from polykeras.layers._input_spec import InputSpec
from polykeras.layers.activation.elu import ELU
from polykeras.layers.activation.leaky_relu import LeakyReLU
from polykeras.layers.activation.prelu import PReLU
from polykeras.layers.activation.relu import ReLU
from polykeras.layers.activation.softmax import Softmax
from polykeras.layers.core.activation import Activation
from polykeras.layers.core.dense import Dense
from polykeras.layers.core.einsum_dense import EinsumDense
from polykeras.layers.core.embedding import Embedding
from polykeras.layers.core.identity import Identity
from polykeras.layers.core.input_layer import Input, InputLayer
from polykeras.layers.core.lambda_layer import Lambda
from polykeras.layers.core.masking import Masking
from polykeras.layers.layer import Layer

__all__ = [
    "ELU",
    "Activation",
    "Dense",
    "EinsumDense",
    "Embedding",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "LeakyReLU",
    "Masking",
    "PReLU",
    "ReLU",
    "Softmax",
]
