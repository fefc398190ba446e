"""Layers as plain data, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polykeras.errors import ArgumentError
from polykeras.layers.layer import Layer
from polykeras.registry import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize", "serialize"]


def serialize(layer: Layer) -> dict[str, Any]:
    """Return plain data that describes a layer.

    Args:
        layer: The layer; its weights are no part of the data.

    Returns:
        Data that ``json.dumps`` accepts, in the form of Keras 3.

    Raises:
        PolykerasError: If the layer holds code that no registered name stands for.

    >>> import polykeras as keras
    >>> keras.layers.serialize(keras.layers.Flatten())["class_name"]
    'Flatten'
    """
    data: dict[str, Any] = serialize_keras_object(layer)
    return data


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Layer:
    """Return the layer that plain data describes.

    Args:
        config: What `serialize`, or Keras 3, returned.
        custom_objects: Names that the data may use besides registered ones.

    Returns:
        A new layer.

    Raises:
        ArgumentError: If the data names something unknown or no layer.

    >>> import polykeras as keras
    >>> layer = keras.layers.Dense(3)
    >>> keras.layers.deserialize(keras.layers.serialize(layer)).units
    3
    """
    found = deserialize_keras_object(config, custom_objects)
    if isinstance(found, Layer):
        return found
    raise ArgumentError(
        f"Expected the data of a layer, got that of {found!r} of type "
        f"{type(found).__name__}."
    )
