"""The graph between given inputs and outputs, in the order it runs in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polykeras import tree
from polykeras.errors import ArgumentError, PolykerasError, ShapeError
from polykeras.symbolic._keras_tensor import KerasTensor
from polykeras.symbolic._node import Node
from polykeras.symbolic._operation import Operation

__all__ = ["Function"]


class Function(Operation):
    """A graph of recorded calls that can be run on values.

    Args:
        inputs: A structure of symbolic tensors.
        outputs: A structure of symbolic tensors computed from them.
        name: A name for messages.

    Raises:
        ArgumentError: If an output does not depend on the inputs alone.

    >>> import polykeras as keras
    >>> x = keras.Input((2,))
    >>> f = keras.Function(x, keras.ops.sum(x * 2, axis=-1))
    >>> [float(v) for v in f(keras.ops.ones((3, 2)))]
    [4.0, 4.0, 4.0]
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        """Find the nodes between inputs and outputs."""
        super().__init__(name)
        self._inputs_struct = inputs
        self._outputs_struct = outputs
        self._inputs = _symbolic_leaves(inputs, "inputs")
        self._outputs = _symbolic_leaves(outputs, "outputs")
        self.nodes = _sort(self._inputs, self._outputs)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat."""
        return self._inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat."""
        return self._outputs

    @property
    def input(self) -> Any:
        """The symbolic inputs in the structure they were given in."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The symbolic outputs in the structure they were given in."""
        return self._outputs_struct

    @property
    def operations(self) -> list[Any]:
        """The layers, operations and ops of the graph, each once, in running order."""
        return list({id(n.operation): n.operation for n in self.nodes}.values())

    def call(self, inputs: Any) -> Any:
        """Run the graph.

        Args:
            inputs: Values in the structure of `input`.

        Returns:
            Values in the structure of `output`.
        """
        return self.run(tree.flatten(inputs))

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Record the calls of the graph anew, on other symbolic tensors."""
        return self.call(*args, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shapes of the outputs for inputs of given shapes."""
        shapes = [input_shape] if len(self._inputs) == 1 else input_shape
        symbolic = [
            KerasTensor(shape, x.dtype)
            for x, shape in zip(self._inputs, shapes, strict=True)
        ]
        outputs = self.compute_output_spec(symbolic)
        return tree.map_leaves(lambda x: x.shape, outputs)

    def get_config(self) -> dict[str, Any]:
        """Refuse: a graph is saved as part of a model.

        Raises:
            PolykerasError: Always.
        """
        raise PolykerasError(
            f"The graph {self.name!r} has no config of its own. Save it as a model: "
            "Model(function.input, function.output)."
        )

    def run(
        self,
        values: list[Any],
        call: Callable[[Node, dict[int, Any]], Any] | None = None,
    ) -> Any:
        """Run the graph on flat input values.

        Args:
            values: One value for each of `inputs`.
            call: Runs one node on the values so far; None means ``node.run``.

        Returns:
            A structure like that of the outputs.

        Raises:
            ShapeError: If the number of values is wrong.
        """
        if len(values) != len(self._inputs):
            raise ShapeError(
                f"{self.name!r} takes {len(self._inputs)} input tensors, but got "
                f"{len(values)}."
            )
        known = {id(x): v for x, v in zip(self._inputs, values, strict=True)}
        for node in self.nodes:
            result = node.run(known) if call is None else call(node, known)
            if len(node.outputs) == 1 and not tree.is_nested(result):
                known[id(node.outputs[0])] = result
            else:
                for x, v in zip(node.outputs, tree.flatten(result), strict=True):
                    known[id(x)] = v
        return tree.map_leaves(
            lambda x: known[id(x)] if isinstance(x, KerasTensor) else x,
            self._outputs_struct,
        )


def _symbolic_leaves(structure: Any, what: str) -> list[KerasTensor]:
    leaves = tree.flatten(structure)
    for x in leaves:
        if not isinstance(x, KerasTensor):
            raise ArgumentError(
                f"All {what} of a functional model must be symbolic tensors made by "
                f"Input or by calling layers on them; got {type(x).__name__}."
            )
    return leaves


def _sort(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> list[Node]:
    """Return the nodes needed for `outputs`, each after those it depends on."""
    given = {id(x) for x in inputs}
    order: list[Node] = []
    done: set[int] = set()
    # Depth first without recursion: models may be thousands of layers deep.
    stack: list[tuple[KerasTensor, bool]] = [(x, False) for x in reversed(outputs)]
    while stack:
        x, expanded = stack.pop()
        if id(x) in given or (x.node is not None and id(x.node) in done):
            continue
        node = x.node
        if node is None or not node.inputs:
            raise ArgumentError(
                f"The outputs depend on {x!r}, which is not among the inputs. Pass "
                "every Input that the outputs depend on."
            )
        if expanded:
            done.add(id(node))
            order.append(node)
        else:
            stack.append((x, True))
            stack.extend((parent, False) for parent in reversed(node.inputs))
    return order
