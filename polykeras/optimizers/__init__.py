"""Optimizers: rules that turn gradients into new values of variables."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from polykeras import registry
from polykeras.errors import ArgumentError
from polykeras.optimizers.adadelta import Adadelta
from polykeras.optimizers.adafactor import Adafactor
from polykeras.optimizers.adagrad import Adagrad
from polykeras.optimizers.adam import Adam
from polykeras.optimizers.adamax import Adamax
from polykeras.optimizers.adamw import AdamW
from polykeras.optimizers.base import Optimizer
from polykeras.optimizers.ftrl import Ftrl
from polykeras.optimizers.lamb import Lamb
from polykeras.optimizers.lion import Lion
from polykeras.optimizers.loss_scale import LossScaleOptimizer
from polykeras.optimizers.muon import Muon
from polykeras.optimizers.nadam import Nadam
from polykeras.optimizers.rmsprop import RMSprop
from polykeras.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "serialize",
]

_CLASSES = (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    AdamW,
    Adamax,
    Ftrl,
    Lamb,
    Lion,
    LossScaleOptimizer,
    Muon,
    Nadam,
    RMSprop,
)
# Users write "Adam" or "adam".
_BY_NAME: dict[str, Any] = {
    name: cls for cls in _CLASSES for name in (cls.__name__, cls.__name__.lower())
}


def get(identifier: Any) -> Optimizer:
    """Return an optimizer for a name, a config or an optimizer.

    Args:
        identifier: Such as ``"adam"``; upper and lower case are the same.

    Returns:
        An optimizer.

    Raises:
        ArgumentError: If there is no such optimizer.

    >>> import polykeras as keras
    >>> keras.optimizers.get("SGD").nesterov
    False
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, str) and identifier.lower() in _BY_NAME:
        identifier = identifier.lower()
    found = registry.resolve(identifier, "optimizer", _BY_NAME)
    if not isinstance(found, Optimizer):
        raise ArgumentError(
            f"Expected an optimizer: a name, a config or an Optimizer; got "
            f"{identifier!r} of type {type(identifier).__name__}."
        )
    return found


def serialize(optimizer: Optimizer) -> Any:
    """Return plain data that describes an optimizer, without its slots."""
    return registry.serialize_keras_object(optimizer)


def deserialize(
    config: Any, custom_objects: Mapping[str, Any] | None = None
) -> Optimizer:
    """Return the optimizer that `serialize` described.

    Args:
        config: Plain data.
        custom_objects: Names that the data may use.
    """
    if isinstance(config, dict) and isinstance(config.get("class_name"), str):
        name = config["class_name"].lower()
        if name in _BY_NAME:
            config = {**config, "class_name": _BY_NAME[name].__name__}
    optimizer: Optimizer = registry.deserialize_keras_object(
        config, custom_objects, module_objects=_BY_NAME
    )
    return optimizer


def __getattr__(name: str) -> Any:
    if name == "schedules":
        return importlib.import_module("polykeras.optimizers.schedules")
    raise AttributeError(f"module 'polykeras.optimizers' has no attribute {name!r}")
