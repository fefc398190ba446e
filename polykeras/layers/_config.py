"""A layer as data, and its place in a graph."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

from polykeras import dtype_policies
from polykeras.symbolic import Node

__all__ = ["LayerConfig"]


class LayerConfig:
    """The part of `Layer` that describes it."""

    # What Keras writes for features that polykeras leaves to other layers, and the
    # value that says the feature is not used.
    _keras_only: ClassVar[Mapping[str, Any]] = {}

    # What Keras writes besides, although other values tell it.
    _keras_derived: ClassVar[tuple[str, ...]] = ()

    # Arguments that may be paths in a program, and never in a file.
    _path_arguments: ClassVar[tuple[str, ...]] = ()

    name: str
    dtype_policy: dtype_policies.DTypePolicy
    activity_regularizer: Any
    _trainable: bool
    _arguments: tuple[tuple[Any, ...], dict[str, Any]]
    _inbound_nodes: list[Node]

    @property
    def compute_dtype(self) -> str:
        """The dtype the layer computes in."""
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the layer's variables."""
        return self.dtype_policy.variable_dtype

    @property
    def dtype(self) -> str:
        """The dtype of the layer's variables."""
        return self.variable_dtype

    @property
    def input_dtype(self) -> str:
        """The dtype inputs are cast to."""
        return self.compute_dtype

    @property
    def path(self) -> str:
        """The layer's name."""
        return self.name

    @property
    def input(self) -> Any:
        """The symbolic input of the layer's only symbolic call."""
        return self._only_node().args[0]

    @property
    def output(self) -> Any:
        """The symbolic output of the layer's only symbolic call."""
        outputs = self._only_node().outputs
        return outputs[0] if len(outputs) == 1 else outputs

    def _only_node(self) -> Node:
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer {self.name!r} has never been called on symbolic tensors, "
                "so it has no defined input or output."
            )
        return self._inbound_nodes[0]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as data.

        A subclass with arguments of its own adds them to ``super().get_config()``.
        """
        config: dict[str, Any] = {"name": self.name, "trainable": self._trainable}
        config["dtype"] = dtype_policies.serialize(self.dtype_policy)
        if self.activity_regularizer is not None:
            from polykeras import regularizers

            config["activity_regularizer"] = regularizers.serialize(
                self.activity_regularizer
            )
        return config | self._recorded_arguments()

    def _recorded_arguments(self) -> dict[str, Any]:
        """Return plain arguments of a subclass that does not list them itself."""
        if type(self).get_config is not LayerConfig.get_config:
            return {}
        args, kwargs = self._arguments
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        return {k: v for k, v in given.items() if k not in ("name", "dtype")}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return a new layer from what `get_config` returned."""
        from polykeras.registry import deserialize_keras_object

        objects = {
            k: deserialize_keras_object(v)
            for k, v in config.items()
            if isinstance(v, dict) and "class_name" in v
        }
        known = {
            k: v
            for k, v in config.items()
            if k not in cls._keras_derived
            and (k not in cls._keras_only or v != cls._keras_only[k])
        }
        return cls(**{**known, **objects})
