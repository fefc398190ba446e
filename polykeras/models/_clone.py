"""`clone_model`: the same architecture with weights of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polykeras import tree
from polykeras.errors import ArgumentError
from polykeras.layers.core.input_layer import Input, InputLayer
from polykeras.layers.layer import Layer
from polykeras.models.functional import Functional
from polykeras.models.model import Model
from polykeras.models.sequential import Sequential
from polykeras.symbolic import KerasTensor, Node

__all__ = ["clone_model"]


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """Return a model of the same architecture with newly initialised weights.

    Args:
        model: The model.
        input_tensors: Symbolic tensors to build the clone on, in the structure of
            ``model.input``; None makes inputs like those of `model`.
        clone_function: Returns the layer to stand in a layer's place; None makes one
            from the layer's config.
        call_function: Called as ``call_function(layer, *args, **kwargs)`` in place of
            the layer in a functional model.
        recursive: Whether `clone_function` sees the layers of models inside rather
            than these models themselves.
        kwargs: None are allowed.

    Returns:
        The clone, not compiled.

    Raises:
        ArgumentError: If a layer's clone is no layer, or arguments do not fit the
            kind of the model.

    >>> import polykeras as keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    >>> clone_model(model).output_shape
    (None, 3)
    """
    if kwargs:
        raise ArgumentError(f"clone_model got unknown arguments {sorted(kwargs)}.")
    clone = _Cloning(clone_function, call_function, recursive)
    if isinstance(model, Sequential):
        return clone.sequential(model, input_tensors)
    if isinstance(model, Functional):
        return clone.functional(model, input_tensors)
    if clone_function is not None or input_tensors is not None:
        raise ArgumentError(
            "input_tensors and clone_function need a Sequential or functional model, "
            f"got the {type(model).__name__} {model.name!r}."
        )
    return type(model).from_config(model.get_config())


class _Cloning:
    """Clones layers, each once."""

    def __init__(
        self,
        clone_function: Callable[[Layer], Layer] | None,
        call_function: Callable[..., Any] | None,
        recursive: bool,
    ) -> None:
        self._make = clone_function or _from_config
        self._call = call_function
        self._recursive = recursive
        self._clones: dict[int, Layer] = {}

    def layer(self, layer: Layer) -> Layer:
        """Return the clone of a layer."""
        if id(layer) not in self._clones:
            if isinstance(layer, InputLayer):
                new: Any = _from_config(layer)
            elif self._recursive and isinstance(layer, Sequential | Functional):
                new = clone_model(layer, None, self._make, self._call, True)
            else:
                new = self._make(layer)
            if not isinstance(new, Layer):
                raise ArgumentError(
                    f"clone_function must return a Layer for {layer.name!r}, got "
                    f"{new!r}."
                )
            self._clones[id(layer)] = new
        return self._clones[id(layer)]

    def sequential(self, model: Sequential, inputs: Any) -> Sequential:
        """Return the clone of a stack."""
        layers = [self.layer(x) for x in model._layers]
        if inputs is not None:
            given = tree.flatten(inputs)[0]
            layers = [x for x in layers if not isinstance(x, InputLayer)]
            shape, dtype = given.shape, given.dtype
            layers.insert(0, InputLayer(batch_shape=shape, dtype=dtype))
        new = Sequential(layers, name=model.name, trainable=model.trainable)
        if model._functional is not None and not new.built:
            new.build(model.input_shape)
            new._graph_or_fail()._checks_shapes = model._functional._checks_shapes
        return new

    def functional(self, model: Functional, inputs: Any) -> Functional:
        """Return the clone of a graph."""
        if inputs is None:
            inputs = tree.map_leaves(_input_like, model.input)
        outputs = model._graph.run(tree.flatten(inputs), self._run)
        new: Functional = type(model)(inputs, outputs, name=model.name)
        return new

    def _run(self, node: Node, values: dict[int, Any]) -> Any:
        if not isinstance(node.operation, Layer):
            return node.run(values)
        args, kwargs = tree.map_leaves(
            lambda x: values[id(x)] if isinstance(x, KerasTensor) else x,
            (node.args, node.kwargs),
        )
        layer = self.layer(node.operation)
        if self._call is not None:
            return self._call(layer, *args, **kwargs)
        return layer(*args, **kwargs)


def _from_config(layer: Layer) -> Layer:
    config = layer.get_config()
    new: Layer = type(layer).from_config(config)
    return new


def _input_like(x: KerasTensor) -> KerasTensor:
    return Input(batch_shape=x.shape, dtype=x.dtype, name=x.name)
