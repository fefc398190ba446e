"""Functional models: a graph of layers between inputs and outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from polykeras import ops, tree
from polykeras.errors import ArgumentError, ShapeError, nearest
from polykeras.layers.core.input_layer import InputLayer
from polykeras.layers.layer import Layer
from polykeras.masking import get_mask, set_mask
from polykeras.models.model import Model
from polykeras.registry import public
from polykeras.symbolic import Function, KerasTensor, Node

__all__ = ["Functional"]


@public
class Functional(Model):
    """A model made of the calls between symbolic inputs and outputs.

    Args:
        inputs: A symbolic tensor, or a list or dict of them.
        outputs: Likewise, computed from `inputs`.
        name: A name.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If the outputs depend on other inputs, or two layers have
            one name.
    """

    # Keras has no public name for the class.
    _keras_module = "keras.src.models.functional"

    def __init__(
        self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any
    ) -> None:
        """Find the layers between inputs and outputs."""
        trainable = kwargs.pop("trainable", None)
        inputs, outputs = _from_inputs(inputs, outputs)
        super().__init__(name=name, **kwargs)
        self._graph = Function(inputs, outputs, self.name)
        for x in self._graph.inputs:
            if x.node is None:
                # A bare KerasTensor: give it a layer, as Input would have.
                InputLayer(input_tensor=x, name=x.name)
        # A stack whose input was learnt from the first data takes other lengths too.
        self._checks_shapes = True
        self._layers = self._order_layers()
        _check_names(self._layers, self.name)
        self.built = True
        if trainable is not None:
            self.trainable = trainable

    def _order_layers(self) -> list[Layer]:
        """Return the layers from inputs to outputs, by distance from the outputs."""
        depth: dict[int, int] = {}
        for node in reversed(self._graph.nodes):
            own = depth.setdefault(id(node), 0)
            for x in node.inputs:
                if x.node is not None:
                    depth[id(x.node)] = max(depth.get(id(x.node), 0), own + 1)
        position = {id(x.node): i for i, x in enumerate(self._graph.inputs)}
        nodes: list[Node] = [x.node for x in self._graph.inputs if x.node is not None]
        nodes += self._graph.nodes
        ordered: dict[int, tuple[int, int, Layer]] = {}
        for i, node in enumerate(nodes):
            layer = node.operation
            if not isinstance(layer, Layer):
                continue
            order = position.get(id(node), i)
            key = (-depth.get(id(node), 0), order, layer)
            if id(layer) not in ordered or key[0] < ordered[id(layer)][0]:
                ordered[id(layer)] = key
        return [k[2] for k in sorted(ordered.values(), key=lambda k: k[:2])]

    @property
    def layers(self) -> list[Layer]:
        """The layers, inputs first."""
        return list(self._layers)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat."""
        return self._graph.inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat."""
        return self._graph.outputs

    @property
    def input(self) -> Any:
        """The symbolic inputs in the structure they were given in."""
        return self._graph._inputs_struct

    @property
    def output(self) -> Any:
        """The symbolic outputs in the structure they were given in."""
        return self._graph._outputs_struct

    @property
    def input_shape(self) -> Any:
        """Shape of the input, or a structure of shapes."""
        return tree.map_leaves(lambda x: x.shape, self.input)

    @property
    def output_shape(self) -> Any:
        """Shape of the output, or a structure of shapes."""
        return tree.map_leaves(lambda x: x.shape, self.output)

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [x.name for x in self._graph.inputs]

    @property
    def output_names(self) -> list[str]:
        """The name of the layer behind each output."""
        return [
            x.node.operation.name if x.node is not None else x.name
            for x in self._graph.outputs
        ]

    def _flatten_inputs(self, inputs: Any) -> list[Any]:
        """Match what the caller passed with the model's inputs."""
        symbolic = self._graph.inputs
        if isinstance(inputs, dict):
            if isinstance(self.input, dict) and set(self.input) <= set(inputs):
                return [inputs[k] for k in sorted(self.input)]
            names = self.input_names
            missing = [n for n in names if n not in inputs]
            if missing:
                raise ArgumentError(
                    f"The model {self.name!r} needs the inputs {names}, but the dict "
                    f"given has the keys {sorted(inputs)}. "
                    + nearest(missing[0], inputs)
                )
            return [inputs[n] for n in names]
        if isinstance(inputs, list | tuple) and len(symbolic) == 1:
            flat = tree.flatten(inputs)
            if len(flat) == 1:
                return flat
        return tree.flatten(inputs)

    def _adapt(self, x: Any, spec: KerasTensor) -> Any:
        """Cast an input and mend a missing or extra axis of size 1."""
        if x is None:
            return x
        if spec.dtype == "string":
            return self._adapt_text(x, spec)
        rank, wanted = len(x.shape), len(spec.shape)
        mask = get_mask(x)
        if rank == wanted - 1 and spec.shape[-1] == 1:
            x = ops.expand_dims(x, -1)
        elif rank == wanted + 1 and x.shape[-1] == 1:
            x = ops.squeeze(x, -1)
        if self._checks_shapes:
            _check_shape(self.name, spec, tuple(x.shape))
        if not isinstance(x, KerasTensor):
            name = ops.dtype(x)
            if name != spec.dtype:
                x = ops.cast(x, spec.dtype)
        if mask is not None and get_mask(x) is None:
            set_mask(x, mask)
        return x

    def _adapt_text(self, x: Any, spec: KerasTensor) -> Any:
        """Return text in an array, with an axis of size 1 where one is declared."""
        if isinstance(x, list | tuple):
            x = np.asarray(x)
        if len(x.shape) == len(spec.shape) - 1 and spec.shape[-1] == 1:
            x = x.reshape((*x.shape, 1)) if isinstance(x, np.ndarray) else x
        if self._checks_shapes:
            _check_shape(self.name, spec, tuple(x.shape))
        return x

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Run the graph on values."""
        values = [
            self._adapt(x, spec)
            for x, spec in zip(
                self._checked_count(self._flatten_inputs(inputs)),
                self._graph.inputs,
                strict=True,
            )
        ]
        if mask is not None:
            for x, m in zip(values, tree.flatten(mask), strict=False):
                if m is not None:
                    set_mask(x, m)
        return self._graph.run(values)

    def _checked_count(self, values: list[Any]) -> list[Any]:
        if len(values) != len(self._graph.inputs):
            raise ShapeError(
                f"The model {self.name!r} has {len(self._graph.inputs)} inputs "
                f"{self.input_names}, but {len(values)} tensors were given."
            )
        return values

    @property
    def _casts_inputs(self) -> bool:
        # Each input has a dtype of its own.
        return False

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Leave the masks that the layers inside have set."""
        return None

    def get_config(self) -> dict[str, Any]:
        """Return the graph as data."""
        from polykeras.models._graph_config import graph_config

        return graph_config(self)

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Any:
        """Return the model that a config describes."""
        from polykeras.models._graph_config import rebuild_graph

        return rebuild_graph(cls, config, custom_objects)


def _from_inputs(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """Give tensors from inside another graph inputs of their own in their place."""
    leaves = tree.flatten(inputs)
    inner = [
        isinstance(x, KerasTensor) and x.node is not None and bool(x.node.inputs)
        for x in leaves
    ]
    if not any(inner):
        return inputs, outputs
    fresh = [
        InputLayer(batch_shape=x.shape, dtype=x.dtype)._inbound_nodes[0].outputs[0]
        if is_inner
        else x
        for x, is_inner in zip(leaves, inner, strict=True)
    ]
    # Layers and ops called on symbolic tensors record the part of the graph anew.
    outputs = Function(inputs, outputs).run(fresh)
    return tree.pack_sequence_as(inputs, fresh), outputs


def _check_names(layers: list[Layer], model: str) -> None:
    seen: dict[str, Layer] = {}
    for layer in layers:
        if layer.name in seen:
            raise ArgumentError(
                f"The model {model!r} has two layers named {layer.name!r}. Give one "
                "of them another name."
            )
        seen[layer.name] = layer


def _check_shape(model: str, spec: KerasTensor, shape: tuple[Any, ...]) -> None:
    fits = len(shape) == len(spec.shape) and all(
        m is None or n is None or m == n for m, n in zip(spec.shape, shape, strict=True)
    )
    if not fits:
        raise ShapeError(
            f"The model {model!r} expects its input {spec.name!r} to have the shape "
            f"{spec.shape}, but got {shape}."
        )
