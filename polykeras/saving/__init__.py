"""Files: whole models, weights, and names for what configs hold."""

# Imported for what it registers: a config names models.
from polykeras import models  # noqa: F401
from polykeras.registry import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from polykeras.storage.inspection import inspect_file
from polykeras.storage.limits import Limits, loading_limits
from polykeras.storage.load_report import LoadReport
from polykeras.storage.models import load_model, save_model
from polykeras.storage.weights import load_weights, save_weights

__all__ = [
    "CustomObjectScope",
    "Limits",
    "LoadReport",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "inspect_file",
    "load_model",
    "load_weights",
    "loading_limits",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
