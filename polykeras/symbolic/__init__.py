"""Models described by symbolic tensors, and the shapes of what they compute."""

from polykeras.symbolic._graph import Function
from polykeras.symbolic._inference import SymbolicScope, infer
from polykeras.symbolic._keras_tensor import KerasTensor, any_symbolic, is_keras_tensor
from polykeras.symbolic._node import Node
from polykeras.symbolic._operation import Operation

__all__ = [
    "Function",
    "KerasTensor",
    "Node",
    "Operation",
    "SymbolicScope",
    "any_symbolic",
    "infer",
    "is_keras_tensor",
]
