"""`Sequential`: layers one after the other."""

from __future__ import annotations

from typing import Any

from polykeras import tree
from polykeras.errors import ArgumentError, StateError
from polykeras.layers.core.input_layer import InputLayer
from polykeras.layers.layer import Layer
from polykeras.models.functional import Functional
from polykeras.models.model import Model
from polykeras.registry import (
    CustomObjectScope,
    deserialize_keras_object,
    noting_shared,
    public,
    serialize_keras_object,
)
from polykeras.symbolic import KerasTensor

__all__ = ["Sequential"]


@public
class Sequential(Model):
    """A stack of layers, each with one input and one output.

    Args:
        layers: The layers from first to last; may start with an `Input`.
        trainable: Whether the model's variables are trained.
        name: A name.

    >>> import polykeras as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> model.output_shape
    (None, 2)
    """

    def __init__(
        self, layers: Any = None, trainable: bool = True, name: str | None = None
    ) -> None:
        """Add the layers."""
        super().__init__(trainable=trainable, name=name)
        self._functional: Functional | None = None
        self._layers: list[Layer] = []
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._maybe_rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Append a layer.

        Args:
            layer: A layer, or a symbolic input.
            rebuild: Whether to build the model at once if its input is known.

        Raises:
            ArgumentError: If `layer` is neither, or a name is used twice.
        """
        if isinstance(layer, KerasTensor) and layer.node is not None:
            layer = layer.node.operation
        if not isinstance(layer, Layer):
            raise ArgumentError(
                f"Sequential takes layers, got {layer!r} of type "
                f"{type(layer).__name__}. Wrap a function in layers.Lambda or "
                "layers.Activation."
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise ArgumentError(
                f"The model {self.name!r} has layers already, so {layer.name!r} "
                "cannot be its input. Put the Input first."
            )
        if any(layer.name == other.name for other in self._layers):
            raise ArgumentError(
                f"The model {self.name!r} already has a layer named {layer.name!r}. "
                "Layer names must be unique: pass name=."
            )
        shape = layer._batch_input_shape
        if not self._layers and shape is not None and not isinstance(layer, InputLayer):
            self._layers.append(InputLayer(batch_shape=shape))
        self._layers.append(layer)
        self._functional = None
        self.built = False
        if rebuild:
            self._maybe_rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove and return the last layer."""
        if not self._layers:
            raise ArgumentError(f"The model {self.name!r} has no layers to remove.")
        layer = self._layers.pop()
        self._functional = None
        self.built = False
        if rebuild:
            self._maybe_rebuild()
        return layer

    def _maybe_rebuild(self) -> None:
        first = self._layers[0] if self._layers else None
        if isinstance(first, InputLayer) and len(self._layers) > 1:
            self.build(first.batch_shape)
        elif isinstance(first, Functional | Sequential) and first.built:
            self.build(first.input_shape)

    def build(self, input_shape: Any = None) -> None:
        """Make the variables of all layers.

        Args:
            input_shape: Shape of the input with the batch axis.
        """
        if self._functional is not None:
            return
        if not self._layers:
            raise StateError(
                f"The model {self.name!r} has no layers. Add some before building it."
            )
        layers = list(self._layers)
        if isinstance(layers[0], InputLayer):
            x: Any = layers.pop(0)._inbound_nodes[0].outputs[0]
        else:
            dtype = layers[0].input_dtype
            x = (
                InputLayer(batch_shape=input_shape, dtype=dtype)
                ._inbound_nodes[0]
                .outputs[0]
            )
        inputs = x
        for layer in layers:
            x = layer(x)
        self._functional = Functional(inputs, x, name=self.name)
        self._build_shapes = {"input_shape": tuple(inputs.shape)}
        self.built = True

    def _ensure_built(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._signature.check(type(self).__name__, args, kwargs)
        x = self._signature.named(args, kwargs)["inputs"]
        if isinstance(x, list | tuple | dict):
            # Layers of several inputs run one after the other without a graph.
            self.built = True
            return
        shape = tuple(x.shape)
        batch_shape = (None, *shape[1:]) if shape else shape
        from polykeras.layers._building import _outside_of_trace

        with _outside_of_trace():
            self.build(batch_shape)
        self._graph_or_fail()._checks_shapes = isinstance(self._layers[0], InputLayer)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Run the layers in order."""
        if self._functional is not None:
            return self._functional.call(inputs, training=training, mask=mask)
        x = inputs
        for layer in self.layers:
            x = layer(x)
        return x

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Leave the masks that the layers inside have set."""
        return None

    @property
    def _casts_inputs(self) -> bool:
        # The first layer has an input dtype of its own.
        return False

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return [x for x in self._layers if not isinstance(x, InputLayer)]

    def _graph_or_fail(self) -> Functional:
        if self._functional is None:
            raise AttributeError(
                f"The model {self.name!r} is not built: its input shape is not known "
                "yet. Start it with keras.Input(shape=...), or call it on data."
            )
        return self._functional

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic input in a list."""
        return self._graph_or_fail().inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic output in a list."""
        return self._graph_or_fail().outputs

    @property
    def input(self) -> Any:
        """The symbolic input."""
        return self._graph_or_fail().input

    @property
    def output(self) -> Any:
        """The symbolic output."""
        return self._graph_or_fail().output

    @property
    def input_shape(self) -> Any:
        """Shape of the input."""
        return self._graph_or_fail().input_shape

    @property
    def output_shape(self) -> Any:
        """Shape of the output."""
        return self._graph_or_fail().output_shape

    @property
    def output_names(self) -> list[str]:
        """The name of the last layer in a list."""
        return self._graph_or_fail().output_names

    def get_config(self) -> dict[str, Any]:
        """Return the layers as data."""
        config = noting_shared(
            lambda _: {
                "name": self.name,
                "trainable": self._trainable,
                "layers": [serialize_keras_object(x) for x in self._layers],
            }
        )
        if self._build_shapes is not None:
            config["build_input_shape"] = list(tree.flatten(self._build_shapes))
        return config

    def get_build_config(self) -> dict[str, Any] | None:
        """Return None: the config says the input shape."""
        return None

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Any:
        """Return the model that a config describes."""
        with CustomObjectScope(custom_objects or {}):
            layers = [deserialize_keras_object(x) for x in config["layers"]]
        model = cls(layers, name=config.get("name"))
        shape = config.get("build_input_shape")
        if not model.built and shape and all(not isinstance(n, list) for n in shape):
            model.build(tuple(shape))
        model.trainable = config.get("trainable", True)
        return model
