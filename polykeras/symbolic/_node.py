"""One call in the graph of a model: what was called, on what, with what result."""

from __future__ import annotations

from typing import Any

from polykeras import tree
from polykeras.ops._declare import Op
from polykeras.symbolic._inference import infer
from polykeras.symbolic._keras_tensor import KerasTensor

__all__ = ["Node", "call_symbolically"]


class Node:
    """A recorded call.

    Args:
        operation: The op, layer or `Operation`.
        args: Positional arguments, structures with `KerasTensor` leaves.
        kwargs: Keyword arguments likewise.
        outputs: What the call returned.
    """

    __slots__ = ("args", "inputs", "kwargs", "operation", "outputs")

    def __init__(
        self,
        operation: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        outputs: Any,
    ) -> None:
        """Record the call and mark its outputs with it."""
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.inputs = [
            x for x in tree.flatten((args, kwargs)) if isinstance(x, KerasTensor)
        ]
        self.outputs = [x for x in tree.flatten(outputs) if isinstance(x, KerasTensor)]
        for i, x in enumerate(self.outputs):
            x.node = self
            x.index = i

    def run(self, values: dict[int, Any], **overrides: Any) -> Any:
        """Call the operation again on the values of its inputs."""
        args, kwargs = tree.map_leaves(
            lambda x: values[id(x)] if isinstance(x, KerasTensor) else x,
            (self.args, self.kwargs),
        )
        if isinstance(self.operation, Op):
            from polykeras.backend import active

            return self.operation.run(active(), list(args))
        return self.operation(*args, **{**kwargs, **overrides})


def call_symbolically(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record the call of an op and return its symbolic results."""
    from polykeras.backend import active

    outputs = infer(lambda *given: op.run(active(), list(given)), args, kwargs)
    Node(op, args, kwargs, outputs)
    return outputs
