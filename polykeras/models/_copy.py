"""Deep copies of models, however deep their graphs are."""

from __future__ import annotations

from typing import Any

from polykeras.layers._copying import copied
from polykeras.layers.layer import Layer
from polykeras.symbolic import Function, KerasTensor, Node

__all__ = ["copy_model"]


def copy_model(model: Any, memo: dict[int, Any]) -> Any:
    """Return a deep copy of a model.

    Graphs are copied node by node in the order they run in: Python's own recursion
    would follow the chain of tensors and overflow in models a thousand layers deep.

    Args:
        model: The model.
        memo: As for `copy.deepcopy`.
    """
    for layer in model._flatten_layers():
        for value in vars(layer).values():
            if isinstance(value, Function):
                _copy_tensors(value, memo)
    return Layer.__deepcopy__(model, memo)


def _copy_tensors(graph: Function, memo: dict[int, Any]) -> None:
    """Enter copies of a graph's tensors and nodes into the memo, inputs first."""
    nodes = [x.node for x in graph.inputs if x.node is not None]
    for node in [*nodes, *graph.nodes]:
        if id(node) in memo:
            continue
        new = object.__new__(Node)
        memo[id(node)] = new
        for x in node.outputs:
            _copy_tensor(x, memo).node = new
    for x in graph.inputs:
        if id(x) not in memo:
            _copy_tensor(x, memo)

    for node in [*nodes, *graph.nodes]:
        new = memo[id(node)]
        for name in Node.__slots__:
            setattr(new, name, copied(getattr(node, name), memo))


def _copy_tensor(x: KerasTensor, memo: dict[int, Any]) -> KerasTensor:
    new = KerasTensor(x.shape, x.dtype, name=x.name)
    new.index = x.index
    memo[id(x)] = new
    return new
