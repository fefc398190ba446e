"""A functional model as plain data, in the form of Keras' files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polykeras import tree
from polykeras.errors import ArgumentError
from polykeras.layers.core.input_layer import InputLayer
from polykeras.layers.layer import Layer
from polykeras.ops._declare import Op
from polykeras.ops._registry import REGISTRY
from polykeras.registry import (
    CustomObjectScope,
    deserialize_keras_object,
    serialize_keras_object,
)
from polykeras.symbolic import KerasTensor, Node, Operation

if TYPE_CHECKING:
    from polykeras.models.functional import Functional

__all__ = ["graph_config", "rebuild_graph"]


def graph_config(model: Functional) -> dict[str, Any]:
    """Return the layers, their calls, and which tensors enter and leave."""
    nodes = [x.node for x in model.inputs if x.node is not None]
    nodes += model._graph.nodes
    keys, calls = _name_nodes(nodes)
    layers = []
    order = {id(layer): i for i, layer in enumerate(model.layers)}
    operations = sorted(calls, key=lambda key: order.get(calls[key][0], len(order)))
    for key in operations:
        operation = calls[key][1]
        if isinstance(operation, Op):
            data: dict[str, Any] = {
                "module": "keras.ops",
                "class_name": "Op",
                "config": {"name": key, "op": operation.name},
                "registered_name": None,
            }
        else:
            data = serialize_keras_object(operation)
        data["name"] = key
        data["inbound_nodes"] = [
            _call_config(node, keys) for node in calls[key][2] if node.inputs
        ]
        layers.append(data)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _references(model.input, keys),
        "output_layers": _references(model.output, keys),
    }


def _name_nodes(nodes: list[Node]) -> tuple[dict[int, tuple[str, int]], dict[str, Any]]:
    """Give each node the name of its operation and its number among the calls."""
    keys: dict[int, tuple[str, int]] = {}
    calls: dict[str, Any] = {}
    counts: dict[str, int] = {}
    for node in nodes:
        operation = node.operation
        if isinstance(operation, Op):
            # Each call of an op stands alone: ops have no state to share.
            count = counts.get(operation.name, 0)
            counts[operation.name] = count + 1
            name = f"op_{operation.name}" + (f"_{count}" if count else "")
            calls[name] = (id(node), operation, [node])
        else:
            name = operation.name
            calls.setdefault(name, (id(operation), operation, []))[2].append(node)
        keys[id(node)] = (name, len(calls[name][2]) - 1)
    return keys, calls


def _call_config(node: Node, keys: dict[int, tuple[str, int]]) -> dict[str, Any]:
    def leaf(x: Any) -> Any:
        if isinstance(x, KerasTensor):
            name, number = keys[id(x.node)]
            return {
                "class_name": "__keras_tensor__",
                "config": {
                    "shape": list(x.shape),
                    "dtype": x.dtype,
                    "keras_history": [name, number, x.index],
                },
            }
        return serialize_keras_object(x)

    return {"args": _map(leaf, list(node.args)), "kwargs": _map(leaf, node.kwargs)}


def _map(fn: Any, structure: Any) -> Any:
    if isinstance(structure, dict):
        return {k: _map(fn, v) for k, v in structure.items()}
    if isinstance(structure, list):
        return [_map(fn, v) for v in structure]
    if isinstance(structure, tuple):
        return {"class_name": "__tuple__", "items": [_map(fn, v) for v in structure]}
    return fn(structure)


def _references(structure: Any, keys: dict[int, tuple[str, int]]) -> Any:
    refs = tree.map_leaves(lambda x: (*keys[id(x.node)], x.index), structure)
    if isinstance(structure, KerasTensor):
        return list(refs)
    if isinstance(structure, dict):
        return {k: list(v) for k, v in refs.items()}
    return [list(r) for r in tree_leaves_of_references(refs)]


def tree_leaves_of_references(refs: Any) -> list[tuple[str, int, int]]:
    """Return the references in a nested list, which are tuples themselves."""
    if isinstance(refs, tuple) and refs and isinstance(refs[0], str):
        return [refs]
    return [r for item in refs for r in tree_leaves_of_references(item)]


class _Rebuild:
    """Makes layers from data and repeats their calls."""

    def __init__(self) -> None:
        self.tensors: dict[tuple[str, int, int], KerasTensor] = {}
        self.operations: dict[str, Any] = {}

    def add(self, data: dict[str, Any]) -> None:
        name = data["name"]
        if data["class_name"] == "Op":
            op_name = data["config"]["op"]
            if op_name not in REGISTRY:
                raise ArgumentError(f"The config uses the unknown op {op_name!r}.")
            self.operations[name] = REGISTRY[op_name]
            return
        layer = deserialize_keras_object(
            {k: v for k, v in data.items() if k not in ("name", "inbound_nodes")}
        )
        if not isinstance(layer, Layer | Operation):
            raise ArgumentError(f"{data['class_name']!r} in the config is no layer.")
        self.operations[name] = layer
        if isinstance(layer, InputLayer):
            self.tensors[name, 0, 0] = layer._inbound_nodes[0].outputs[0]

    def call(self, name: str, number: int, data: dict[str, Any]) -> bool:
        """Repeat a call if all it needs exists."""
        missing = False

        def leaf(x: Any) -> Any:
            nonlocal missing
            key = tuple(x["config"]["keras_history"])
            if key not in self.tensors:
                missing = True
                return None
            return self.tensors[key]

        args = _restore(data["args"], leaf)
        kwargs = _restore(data["kwargs"], leaf)
        if missing:
            return False
        operation = self.operations[name]
        if hasattr(operation, "op"):
            from polykeras.backend import active

            outputs = operation.op.run(active(), list(args))
        else:
            outputs = operation(*args, **kwargs)
        for i, x in enumerate(
            y for y in tree.flatten(outputs) if isinstance(y, KerasTensor)
        ):
            self.tensors[name, number, i] = x
        return True


def _restore(data: Any, leaf: Any) -> Any:
    if isinstance(data, list):
        return [_restore(x, leaf) for x in data]
    if isinstance(data, dict):
        if data.get("class_name") == "__keras_tensor__":
            return leaf(data)
        if data.get("class_name") == "__tuple__":
            return tuple(_restore(x, leaf) for x in data["items"])
        if "class_name" in data:
            return deserialize_keras_object(data)
        return {k: _restore(v, leaf) for k, v in data.items()}
    return data


def rebuild_graph(
    cls: type, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
) -> Any:
    """Return the model that a config describes.

    Raises:
        ArgumentError: If a call refers to a tensor that nothing makes.
    """
    with CustomObjectScope(custom_objects or {}):
        work = _Rebuild()
        pending: list[tuple[str, int, dict[str, Any]]] = []
        for data in config["layers"]:
            work.add(data)
            nodes = data.get("inbound_nodes", [])
            pending += [(data["name"], i, node) for i, node in enumerate(nodes)]
        while pending:
            # A shared layer's later calls wait until their inputs exist.
            waiting: list[tuple[str, int, dict[str, Any]]] = []
            blocked: set[str] = set()
            for name, number, node in pending:
                if name in blocked or not work.call(name, number, node):
                    blocked.add(name)
                    waiting.append((name, number, node))
            if len(waiting) == len(pending):
                raise ArgumentError(
                    f"The config's calls of {sorted(blocked)} refer to tensors that "
                    "no call makes."
                )
            pending = waiting

    def tensors(refs: Any) -> Any:
        if isinstance(refs, dict):
            return {k: tensors(v) for k, v in refs.items()}
        if refs and isinstance(refs[0], str):
            return work.tensors[tuple(refs)]
        return [tensors(r) for r in refs]

    extra = {k: config[k] for k in ("name", "trainable") if k in config}
    inputs = tensors(config["input_layers"])
    outputs = tensors(config["output_layers"])
    return cls(inputs=inputs, outputs=outputs, **extra)
