"""A functional model as plain data, in the form of Keras' files."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from polykeras import tree
from polykeras.errors import ArgumentError
from polykeras.layers.core.input_layer import InputLayer
from polykeras.layers.layer import Layer
from polykeras.models._keras_operations import operation_of_class, operation_of_op
from polykeras.ops._declare import Op
from polykeras.ops._registry import REGISTRY
from polykeras.registry import (
    CustomObjectScope,
    deserialize_keras_object,
    get_registered_object,
    noting_shared,
    serialize_keras_object,
)
from polykeras.symbolic import KerasTensor, Node, Operation, any_symbolic

if TYPE_CHECKING:
    from polykeras.models.functional import Functional

__all__ = ["graph_config", "rebuild_graph"]


def graph_config(model: Functional) -> dict[str, Any]:
    """Return the layers, their calls, and which tensors enter and leave."""
    return noting_shared(lambda _: _describe(model))


def _describe(model: Functional) -> dict[str, Any]:
    nodes = [x.node for x in model.inputs if x.node is not None]
    nodes += model._graph.nodes
    keys, calls = _name_nodes(nodes)
    layers = []
    order = {id(layer): i for i, layer in enumerate(model.layers)}
    operations = sorted(calls, key=lambda key: order.get(calls[key][0], len(order)))
    for key in operations:
        operation, inbound = calls[key][1:]
        if isinstance(operation, Op):
            layers.append(_op_config(key, operation, inbound[0], keys))
            continue
        data = serialize_keras_object(operation)
        data["name"] = key
        data["inbound_nodes"] = [
            _call_config(node.args, node.kwargs, keys)
            for node in inbound
            if node.inputs
        ]
        layers.append(data)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _references(model.input, keys),
        "output_layers": _references(model.output, keys, own_call=1),
    }


def _op_config(
    key: str, op: Op, node: Node, keys: dict[int, tuple[str, int]]
) -> dict[str, Any]:
    """Describe the call of an op as Keras does, or as our own where Keras cannot."""
    values = dict(zip(op.names, node.args, strict=True))
    known = operation_of_op(op.name)
    data: dict[str, Any]
    if known is not None and known.can_express(op, values):
        config = {n: values[n] for n in known.config if n in values}
        data = {
            "module": known.module,
            "class_name": known.class_name,
            "config": {"name": key, **serialize_keras_object(config)},
            "registered_name": known.class_name,
        }
        args: list[Any] = []
        for name in known.call:
            args += values[name[1:]] if name.startswith("*") else [values[name]]
    else:
        data = {
            "module": "polykeras.ops",
            "class_name": "Op",
            "config": {"name": key, "op": op.name},
            "registered_name": None,
        }
        args = list(node.args)
    data["name"] = key
    data["inbound_nodes"] = [_call_config(args, {}, keys)]
    return data


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


def _call_config(
    args: Any, kwargs: dict[str, Any], keys: dict[int, tuple[str, int]]
) -> dict[str, Any]:
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

    return {"args": _map(leaf, list(args)), "kwargs": _map(leaf, kwargs)}


def _map(fn: Any, structure: Any) -> Any:
    if isinstance(structure, dict):
        return {k: _map(fn, v) for k, v in structure.items()}
    if isinstance(structure, list | tuple):
        return [_map(fn, v) for v in structure]
    return fn(structure)


def _references(
    structure: Any, keys: dict[int, tuple[str, int]], *, own_call: int = 0
) -> Any:
    """Return which call made each tensor.

    Where Keras names the outputs of a model, it counts the definition of a functional
    model inside as its first call.
    """

    def reference(x: KerasTensor) -> tuple[str, int, int]:
        name, number = keys[id(x.node)]
        inside = x.node is not None and _is_functional(x.node.operation)
        return name, number + (own_call if inside else 0), x.index

    refs = tree.map_leaves(reference, structure)
    if isinstance(structure, KerasTensor):
        return list(refs)
    if isinstance(structure, dict):
        return {k: list(v) for k, v in refs.items()}
    return [list(r) for r in tree_leaves_of_references(refs)]


def _is_functional(operation: Any) -> bool:
    from polykeras.models.functional import Functional

    return isinstance(operation, Functional)


def tree_leaves_of_references(refs: Any) -> list[tuple[str, int, int]]:
    """Return the references in a nested list, which are tuples themselves."""
    if isinstance(refs, tuple) and refs and isinstance(refs[0], str):
        return [refs]
    return [r for item in refs for r in tree_leaves_of_references(item)]


class _OpCall:
    """Calls an op with the arguments that a config and a call hold."""

    def __init__(self, data: dict[str, Any]) -> None:
        config = data["config"]
        known = operation_of_class(data["class_name"])
        name = config["op"] if known is None else known.op
        if name not in REGISTRY:
            raise ArgumentError(f"The config uses the unknown op {name!r}.")
        self._op: Op = REGISTRY[name].op  # type: ignore[attr-defined]
        self._names = self._op.names if known is None else known.call
        config = {k: deserialize_keras_object(v) for k, v in config.items()}
        self._config = {k: v for k, v in config.items() if k in self._op.names}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from polykeras.backend import active

        values = {**self._config}
        given = list(args)
        for name in self._names:
            if name.startswith("*"):
                values[name[1:]], given = tuple(given), []
            elif given:
                values[name] = given.pop(0)
        values |= {k: v for k, v in kwargs.items() if k in self._op.names}
        if self._op.name == "get_item" and isinstance(values["key"], list):
            # Keras writes the tuple of a key as a list.
            values["key"] = tuple(values["key"])
        if not any_symbolic(list(values.values())):
            raise ArgumentError(
                f"The config calls the op {self._op.name!r} on no tensor of the graph."
            )
        arguments = [
            values.get(name, default)
            for name, default in zip(self._op.names, self._op.defaults, strict=True)
        ]
        lacking = [
            name
            for name, value in zip(self._op.names, arguments, strict=True)
            if value is inspect.Parameter.empty
        ]
        if lacking:
            raise ArgumentError(
                f"The config calls the op {self._op.name!r} without {lacking[0]!r}."
            )
        return self._op.run(active(), arguments)


def _is_op(data: dict[str, Any]) -> bool:
    """Return whether a config names an op rather than a class."""
    registered = data.get("registered_name")
    if isinstance(registered, str) and get_registered_object(registered) is not None:
        return False
    module = data.get("module")
    parts = module.split(".") if isinstance(module, str) else []
    known = data["class_name"] == "Op" or operation_of_class(data["class_name"])
    return "ops" in parts and bool(known)


class _Rebuild:
    """Makes layers from data and repeats their calls."""

    def __init__(self) -> None:
        self.tensors: dict[tuple[str, int, int], KerasTensor] = {}
        self.operations: dict[str, Any] = {}

    def add(self, data: dict[str, Any]) -> None:
        name = data["name"]
        if _is_op(data):
            self.operations[name] = _OpCall(data)
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
        outputs = self.operations[name](*args, **kwargs)
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

    def tensors(refs: Any, own_call: int = 0) -> Any:
        if isinstance(refs, dict):
            return {k: tensors(v, own_call) for k, v in refs.items()}
        if refs and isinstance(refs[0], str):
            name, number, index = refs
            number -= own_call if _is_functional(work.operations.get(name)) else 0
            if (name, number, index) not in work.tensors:
                raise ArgumentError(f"No call of the config makes the tensor {refs}.")
            return work.tensors[name, number, index]
        return [tensors(r, own_call) for r in refs]

    extra = {k: config[k] for k in ("name", "trainable") if k in config}
    inputs = tensors(config["input_layers"])
    outputs = tensors(config["output_layers"], 1)
    return cls(inputs=inputs, outputs=outputs, **extra)
