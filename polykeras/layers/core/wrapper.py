"""`Wrapper`: a layer around another layer."""

from __future__ import annotations

from typing import Any

from polykeras.errors import ArgumentError
from polykeras.layers.layer import Layer
from polykeras.registry import deserialize_keras_object, public, serialize_keras_object

__all__ = ["Wrapper"]


@public
class Wrapper(Layer):
    """Hold a layer, build it and save it; subclasses say how to call it.

    Args:
        layer: The layer to wrap.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `layer` is no layer.

    >>> import polykeras as keras
    >>> class Twice(keras.layers.Wrapper):
    ...     def call(self, x):
    ...         return self.layer(self.layer(x))
    >>> Twice(keras.layers.Dense(3))(keras.ops.ones((2, 3))).shape
    (2, 3)
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        """Remember the layer."""
        if not isinstance(layer, Layer):
            raise ArgumentError(
                f"{type(self).__name__} wraps a layer, got {layer!r} of type "
                f"{type(layer).__name__}."
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside for the same shape."""
        if not self.layer.built:
            self.layer.build(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "layer": serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Wrapper:
        """Return a new wrapper from what `get_config` returned."""
        inner = deserialize_keras_object(config["layer"], custom_objects)
        return cls(inner, **{k: v for k, v in config.items() if k != "layer"})
