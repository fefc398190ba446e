"""Models described by symbolic tensors, and the shapes of what they compute."""

from polykeras.symbolic._graph import Function
from polykeras.symbolic._inference import infer
from polykeras.symbolic._keras_tensor import KerasTensor, any_symbolic, is_keras_tensor
from polykeras.symbolic._node import Node

__all__ = [
    "Function",
    "KerasTensor",
    "Node",
    "any_symbolic",
    "infer",
    "is_keras_tensor",
]
