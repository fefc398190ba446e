"""Penalties on weights and activations, added to the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from polykeras.registry import (
    deserialize_keras_object,
    resolve,
    serialize_keras_object,
)
from polykeras.regularizers._regularizer import Regularizer
from polykeras.regularizers.norms import L1, L1L2, L2
from polykeras.regularizers.orthogonal import OrthogonalRegularizer

l1 = L1
l1_l2 = L1L2
l2 = L2
orthogonal_regularizer = OrthogonalRegularizer

__all__ = [
    "ALL",
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]

ALL: Final[dict[str, type[Regularizer]]] = {
    "L1": L1,
    "l1": L1,
    "L2": L2,
    "l2": L2,
    "L1L2": L1L2,
    "l1l2": L1L2,
    "l1_l2": L1L2,
    "OrthogonalRegularizer": OrthogonalRegularizer,
    "orthogonal_regularizer": OrthogonalRegularizer,
}
"""Every string that names a regularizer."""


def serialize(regularizer: Any) -> dict[str, Any]:
    """Return plain data that describes a regularizer."""
    data: dict[str, Any] = serialize_keras_object(regularizer)
    return data


def deserialize(
    config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Return the regularizer that plain data describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Names of classes and functions besides registered ones.
    """
    return deserialize_keras_object(
        config, custom_objects=custom_objects, module_objects=ALL
    )


def get(identifier: Any) -> Any:
    """Return a regularizer, however it is written.

    Args:
        identifier: A name such as ``"l2"``, a config, a class, an instance, a
            function of a tensor, or None.

    Returns:
        A regularizer, a function, or None.

    Raises:
        ArgumentError: If the name is unknown.

    >>> import polykeras as keras
    >>> keras.regularizers.get("l2").get_config()
    {'l2': 0.01}
    """
    return resolve(identifier, "regularizer", ALL)
