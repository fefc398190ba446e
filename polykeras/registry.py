"""Names for classes and functions, so that configs never hold code.

A config is plain data. An object in it is ``{"class_name", "config",
"registered_name", "module"}`` as Keras writes it, and is rebuilt only from a name
registered here or passed by the caller: `module` is never imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from polykeras import dtypes
from polykeras.errors import ArgumentError, PolykerasError, nearest

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "find_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "public",
    "register_keras_serializable",
    "resolve",
    "serialize_keras_object",
]

T = TypeVar("T")
_BY_NAME: dict[str, Any] = {}
_NAME_OF: dict[Any, str] = {}
# Namespace, then name: `Identity` is a layer and an initializer.
_BUILT_IN: dict[str, dict[str, Any]] = {}
_scope: ContextVar[Mapping[str, Any]] = ContextVar(
    "polykeras_custom", default=MappingProxyType({})
)
_globals: dict[str, Any] = {}


def public(obj: T) -> T:
    """Register a class or function of polykeras itself under its own name."""
    name: str = obj.__name__  # type: ignore[attr-defined]
    _BUILT_IN.setdefault(_namespace(obj), {})[name] = obj
    return obj


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Register a class or function so that saved models can name it.

    Args:
        package: A prefix that keeps names apart.
        name: The name to use; None means the object's own.

    Returns:
        A decorator that returns the object unchanged.

    Raises:
        ArgumentError: If a class has no ``get_config``.

    >>> import polykeras as keras
    >>> @keras.saving.register_keras_serializable("mine")
    ... def twice(x):
    ...     return 2 * x
    >>> keras.saving.get_registered_name(twice)
    'mine>twice'
    """

    def decorate(obj: T) -> T:
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ArgumentError(
                f"Cannot register {obj.__name__!r}: a serializable class needs a "
                "get_config() method."
            )
        full = f"{package}>{name or obj.__name__}"  # type: ignore[attr-defined]
        _BY_NAME[full] = obj
        _NAME_OF[obj] = full
        return obj

    return decorate


def get_registered_name(obj: Any) -> str:
    """Return the name `obj` is registered under, or its own."""
    own: str = obj.__name__
    return _NAME_OF.get(obj, own)


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Return the object registered as `name`, or None."""
    for table in (_scope.get(), _globals, custom_objects, _BY_NAME, module_objects):
        if table and name in table:
            return table[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """Return the process-wide table of custom objects, to read or change."""
    return _globals


class CustomObjectScope:
    """Make names available to deserialization in a block.

    Args:
        custom_objects: Name to class or function.
    """

    def __init__(self, custom_objects: Mapping[str, Any]) -> None:
        """Remember the names."""
        self.custom_objects = dict(custom_objects)
        self._tokens: list[Any] = []

    def __enter__(self) -> CustomObjectScope:
        """Add the names."""
        self._tokens.append(_scope.set({**_scope.get(), **self.custom_objects}))
        return self

    def __exit__(self, *exc: object) -> None:
        """Remove the names."""
        _scope.reset(self._tokens.pop())


custom_object_scope = CustomObjectScope


@contextmanager
def _objects(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    if not custom_objects:
        yield
        return
    with CustomObjectScope(custom_objects):
        yield


def _namespace(obj: Any) -> str:
    """Return the part of polykeras that an object belongs to: ``"layers"``."""
    module: str = obj.__module__
    return module.split(".")[1] if "." in module else module


def _own_object(name: str, module: Any) -> Any:
    """Return polykeras' own object of a name; `module` only tells equal names apart.

    Args:
        name: The class or function.
        module: What a config says, ``"keras.initializers"``, or anything else.
    """
    parts = module.split(".") if isinstance(module, str) else []
    for part in parts:
        if name in _BUILT_IN.get(part, {}):
            return _BUILT_IN[part][name]
    return None


def find_object(
    name: str, table: Mapping[str, Any] | None = None, module: Any = None
) -> Any:
    """Return the object of that name: custom, registered, then polykeras' own.

    Args:
        name: The class or function.
        table: Further names, looked at before polykeras' own.
        module: Tells apart objects of one name in several namespaces; a string that
            is compared, never imported.

    Raises:
        ArgumentError: If no such name is known.
    """
    found = get_registered_object(name) or _own_object(name, module)
    if found is None and table is not None:
        found = table.get(name)
    if found is None:
        found = next((own[name] for own in _BUILT_IN.values() if name in own), None)
    if found is None:
        own_names = {n for own in _BUILT_IN.values() for n in own}
        known = {*(table or own_names), *_BY_NAME, *_scope.get(), *_globals}
        raise ArgumentError(
            f"Unknown object {name!r}. {nearest(name, known)} Register a class of "
            "your own with @register_keras_serializable or pass custom_objects."
        )
    return found


def resolve(
    identifier: Any,
    kind: str,
    table: Mapping[str, Any],
    *,
    instantiate: bool = True,
) -> Any:
    """Turn what users write into an object: a string, config, class or instance.

    Args:
        identifier: None, a name of `table`, a config dict, a class, or a callable.
        kind: What is looked for, for messages: ``"loss"``.
        table: Names to classes and functions.
        instantiate: Whether a class found is called without arguments.

    Returns:
        An instance, function or None.

    Raises:
        ArgumentError: If the name is unknown or the value of another kind.

    >>> resolve("Twice", "example", {"Twice": lambda: 2}, instantiate=False)()
    2
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return deserialize_keras_object(identifier, module_objects=table)
    if isinstance(identifier, str):
        found = get_registered_object(identifier, module_objects=table)
        if found is None:
            raise ArgumentError(
                f"Unknown {kind} {identifier!r}. {nearest(identifier, table)}"
            )
        identifier = found
    if inspect.isclass(identifier) and instantiate:
        return _made_without_arguments(identifier, kind)
    if callable(identifier) or inspect.isclass(identifier):
        return identifier
    raise ArgumentError(
        f"Expected a {kind}: a name, a config, a function or an object; got "
        f"{identifier!r} of type {type(identifier).__name__}."
    )


def _made_without_arguments(cls: type, kind: str) -> Any:
    needed = [
        p.name
        for p in list(inspect.signature(cls).parameters.values())
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    if needed:
        given = ", ".join(f"{name}=..." for name in needed)
        raise ArgumentError(
            f"The {kind} {cls.__name__!r} cannot be chosen by name alone. Pass an "
            f"object: {cls.__name__}({given})."
        )
    return cls()


# -- plain data and back ---------------------------------------------------------


def serialize_keras_object(obj: Any) -> Any:
    """Return plain data that describes an object, a function or a structure.

    Args:
        obj: A number, string, None, list, tuple, dict, array, dtype, registered
            function, or an object with ``get_config``.

    Returns:
        Data that ``json.dumps`` accepts.

    Raises:
        PolykerasError: For lambdas and objects without ``get_config``.
    """
    if obj is None or isinstance(obj, str | bool | int | float):
        return obj
    if isinstance(obj, list):
        return [serialize_keras_object(x) for x in obj]
    if isinstance(obj, tuple):
        return tuple(serialize_keras_object(x) for x in obj)
    if isinstance(obj, dict):
        return {str(k): serialize_keras_object(v) for k, v in obj.items()}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray) and obj.dtype != object:
        config = {"value": obj.tolist(), "dtype": obj.dtype.name}
        return {"class_name": "__numpy__", "config": config}
    if isinstance(obj, slice):
        config = {"value": [obj.start, obj.stop, obj.step]}
        return {"class_name": "__slice__", "config": config}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if inspect.isfunction(obj) or inspect.isbuiltin(obj):
        if obj.__name__ == "<lambda>":
            raise PolykerasError(
                "A lambda is code and cannot be saved. Define a named function and "
                "decorate it with @register_keras_serializable()."
            )
        return {
            "module": "builtins",
            "class_name": "function",
            "config": obj.__name__,
            "registered_name": get_registered_name(obj),
        }
    if hasattr(obj, "get_config"):
        return _serialize_instance(obj)
    raise PolykerasError(
        f"Cannot save {obj!r} of type {type(obj).__name__}: it has no get_config()."
    )


def _serialize_instance(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    built_in = _BUILT_IN.get(_namespace(cls), {}).get(cls.__name__) is cls
    data = {
        "module": _public_module(cls) if built_in else cls.__module__,
        "class_name": cls.__name__,
        "config": {k: serialize_keras_object(v) for k, v in obj.get_config().items()},
        "registered_name": None if built_in else get_registered_name(cls),
    }
    if hasattr(obj, "get_build_config"):
        build_config = obj.get_build_config()
        if build_config is not None:
            data["build_config"] = serialize_keras_object(build_config)
    if hasattr(obj, "get_compile_config") and getattr(obj, "compiled", False):
        compile_config = obj.get_compile_config()
        if compile_config is not None:
            data["compile_config"] = serialize_keras_object(compile_config)
    return data


def _public_module(cls: type) -> str:
    """Name the namespace as Keras does, so that Keras can read the file."""
    default = f"keras.{cls.__module__.split('.')[1]}"
    named: str = getattr(cls, "_keras_module", default)
    return named


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    *,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Rebuild what `serialize_keras_object` described, running nothing from it.

    Args:
        config: Plain data.
        custom_objects: Names the data may use besides registered ones.
        safe_mode: Kept for Keras' signature; loading is always safe.
        module_objects: Further names, for example all losses.

    Returns:
        The object.

    Raises:
        ArgumentError: If a name is unknown or the data is malformed.
    """
    with _objects(custom_objects):
        return _rebuild(config, module_objects)


def _rebuild(config: Any, table: Mapping[str, Any] | None) -> Any:
    if isinstance(config, list | tuple):
        return type(config)(_rebuild(x, table) for x in config)
    if not isinstance(config, dict):
        return config
    if "class_name" not in config:
        return {k: _rebuild(v, table) for k, v in config.items()}
    name, inner = config["class_name"], config.get("config")
    if not isinstance(name, str):
        raise ArgumentError(f"class_name must be a string, got {name!r}.")
    if name == "__tuple__":
        return tuple(_rebuild(x, table) for x in config.get("items", []))
    if name == "__numpy__":
        return _rebuild_array(inner)
    if name == "__slice__":
        return _rebuild_slice(inner)
    if name == "__ellipsis__":
        return Ellipsis
    registered = config.get("registered_name")
    if name == "function":
        wanted = registered or inner
        if not isinstance(wanted, str):
            raise ArgumentError(f"A function is given by its name, got {wanted!r}.")
        return find_object(wanted, table, config.get("module"))
    cls = get_registered_object(registered) if isinstance(registered, str) else None
    cls = cls or find_object(name, table, config.get("module"))
    if not inspect.isclass(cls):
        return cls
    if not isinstance(inner, dict):
        raise ArgumentError(
            f"The config of {name!r} must be a dict, got {type(inner).__name__}."
        )
    make = getattr(cls, "from_config", None)
    if make is None:
        raise ArgumentError(f"The class {name!r} has no from_config().")
    obj = make(inner)
    build_config = config.get("build_config")
    if build_config and hasattr(obj, "build_from_config"):
        obj.build_from_config(_rebuild(build_config, table))
    compile_config = config.get("compile_config")
    if compile_config and hasattr(obj, "compile_from_config"):
        obj.compile_from_config(compile_config)
    return obj


def _rebuild_array(data: Any) -> np.ndarray[Any, Any]:
    try:
        dtype, value = str(data["dtype"]), data["value"]
        if dtype.startswith("str"):
            return np.array(value, str)
        return np.array(value, dtypes.as_numpy_dtype(dtypes.standardize_dtype(dtype)))
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise ArgumentError(
            f"An array is given by its 'value' and 'dtype', which do not fit: {error}"
        ) from error


def _rebuild_slice(data: Any) -> slice:
    parts = data.get("value") if isinstance(data, dict) else None
    if not isinstance(parts, list | tuple) or not 1 <= len(parts) <= 3:
        raise ArgumentError(f"A slice has a start, stop and step, got {parts!r}.")
    return slice(*parts)
