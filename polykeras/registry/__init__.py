"""Names for classes and functions, so that configs never hold code.

A config is plain data. An object in it is ``{"class_name", "config",
"registered_name", "module"}`` as Keras writes it, and is rebuilt only from a name
registered here or passed by the caller: `module` is never imported.
"""

from polykeras.registry._data import (
    deserialize_keras_object,
    resolve,
    serialize_keras_object,
)
from polykeras.registry._names import (
    CustomObjectScope,
    custom_object_scope,
    find_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    public,
    register_keras_serializable,
)
from polykeras.registry._sharing import noting_shared

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "find_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "noting_shared",
    "public",
    "register_keras_serializable",
    "resolve",
    "serialize_keras_object",
]
