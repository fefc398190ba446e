"""Projections applied to variables after each update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from polykeras.constraints._constraint import Constraint
from polykeras.constraints.norms import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from polykeras.registry import (
    deserialize_keras_object,
    resolve,
    serialize_keras_object,
)

max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

__all__ = [
    "ALL",
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

ALL: Final[dict[str, type[Constraint]]] = {
    "MaxNorm": MaxNorm,
    "max_norm": MaxNorm,
    "MinMaxNorm": MinMaxNorm,
    "min_max_norm": MinMaxNorm,
    "NonNeg": NonNeg,
    "non_neg": NonNeg,
    "UnitNorm": UnitNorm,
    "unit_norm": UnitNorm,
}
"""Every string that names a constraint."""


def serialize(constraint: Any) -> dict[str, Any]:
    """Return plain data that describes a constraint."""
    data: dict[str, Any] = serialize_keras_object(constraint)
    return data


def deserialize(
    config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Return the constraint that plain data describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Names of classes and functions besides registered ones.
    """
    return deserialize_keras_object(
        config, custom_objects=custom_objects, module_objects=ALL
    )


def get(identifier: Any) -> Any:
    """Return a constraint, however it is written.

    Args:
        identifier: A name such as ``"max_norm"``, a config, a class, an instance,
            a function of a tensor, or None.

    Returns:
        A constraint, a function, or None.

    Raises:
        ArgumentError: If the name is unknown.

    >>> import polykeras as keras
    >>> keras.constraints.get("max_norm").max_value
    2
    """
    return resolve(identifier, "constraint", ALL)
