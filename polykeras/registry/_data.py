"""Objects as plain data, and back."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from polykeras import dtypes
from polykeras.errors import ArgumentError, PolykerasError, UnsafeFileError, nearest
from polykeras.registry._names import (
    CustomObjectScope,
    find_object,
    get_registered_name,
    get_registered_object,
    is_built_in,
    name_in_files,
)
from polykeras.registry._sharing import noting_shared, rebuilding

__all__ = ["deserialize_keras_object", "resolve", "serialize_keras_object"]


@contextmanager
def _objects(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    if not custom_objects:
        yield
        return
    with CustomObjectScope(custom_objects):
        yield


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
    if isinstance(identifier, dict) and "class_name" in identifier:
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
        parts = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return {"class_name": "__slice__", "config": parts}
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
    built_in = is_built_in(cls)

    def describe(written: Any) -> dict[str, Any]:
        config = obj.get_config()
        data = {
            # Where a class was defined is no business of a file: names find it.
            "module": _public_module(cls) if built_in else None,
            "class_name": name_in_files(cls) if built_in else cls.__name__,
            "config": {k: serialize_keras_object(v) for k, v in config.items()},
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
        written.note(obj, data)
        return data

    return noting_shared(describe)


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
    with _objects(custom_objects), rebuilding():
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
    if name in _VALUES:
        return _VALUES[name](config, table)
    cls = _registered(config) or find_object(name, table, config.get("module"))
    if not inspect.isclass(cls):
        return cls
    if not isinstance(inner, dict):
        raise ArgumentError(
            f"The config of {name!r} must be a dict, got {type(inner).__name__}."
        )
    with rebuilding() as rebuilt:
        return rebuilt.find(config) or _rebuild_instance(cls, config, table, rebuilt)


def _registered(config: dict[str, Any]) -> Any:
    registered = config.get("registered_name")
    return get_registered_object(registered) if isinstance(registered, str) else None


def _rebuild_instance(
    cls: type, config: dict[str, Any], table: Mapping[str, Any] | None, rebuilt: Any
) -> Any:
    make = getattr(cls, "from_config", None)
    if make is None:
        raise ArgumentError(f"The class {cls.__name__!r} has no from_config().")
    for argument in getattr(cls, "_path_arguments", ()):
        if isinstance(config["config"].get(argument), str):
            raise UnsafeFileError(
                f"The config of {cls.__name__!r} names the file "
                f"{config['config'][argument][:80]!r} as its {argument}, and loading "
                "reads no other files. Make the layer in your program instead."
            )
    obj = make(config["config"])
    build_config = config.get("build_config")
    if build_config and hasattr(obj, "build_from_config"):
        obj.build_from_config(_rebuild(build_config, table))
    compile_config = config.get("compile_config")
    if compile_config and hasattr(obj, "compile_from_config"):
        obj.compile_from_config(compile_config)
    rebuilt.note(config, obj)
    return obj


def _rebuild_tuple(config: dict[str, Any], table: Mapping[str, Any] | None) -> Any:
    items = config.get("items", [])
    if not isinstance(items, list | tuple):
        raise ArgumentError(f"A tuple is given by its 'items', got {items!r}.")
    return tuple(_rebuild(x, table) for x in items)


def _rebuild_function(config: dict[str, Any], table: Mapping[str, Any] | None) -> Any:
    found = _registered(config)
    if found is None:
        wanted = config.get("config")
        if not isinstance(wanted, str):
            raise ArgumentError(f"A function is given by its name, got {wanted!r}.")
        found = find_object(wanted, table, config.get("module"))
    if inspect.isclass(found):
        raise ArgumentError(f"{config.get('config')!r} is a class, not a function.")
    return found


def _rebuild_array(config: dict[str, Any], _table: Any) -> np.ndarray[Any, Any]:
    data = config.get("config")
    try:
        dtype, value = str(data["dtype"]), data["value"]  # type: ignore[index]
        if dtype.startswith("str"):
            return np.array(value, str)
        return np.array(value, dtypes.as_numpy_dtype(dtypes.standardize_dtype(dtype)))
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise ArgumentError(
            f"An array is given by its 'value' and 'dtype', which do not fit: {error}"
        ) from error


def _rebuild_slice(config: dict[str, Any], table: Mapping[str, Any] | None) -> slice:
    parts = config.get("config")
    known = {"start", "stop", "step"}
    if not isinstance(parts, dict) or not parts.keys() <= known or not parts:
        raise ArgumentError(f"A slice has a start, stop and step, got {parts!r}.")
    return slice(*(_rebuild(parts.get(k), table) for k in ("start", "stop", "step")))


def _refuse_code(config: dict[str, Any], _table: Any) -> Any:
    raise UnsafeFileError(
        "The config holds the code of a lambda function, and code in files is never "
        "run. Define the function in your program and pass it in custom_objects: "
        "under the name of the Lambda layer that uses it."
    )


# Values that are no objects of a class, by the name they go under.
_VALUES: dict[str, Any] = {
    "function": _rebuild_function,
    "__ellipsis__": lambda config, table: Ellipsis,
    "__lambda__": _refuse_code,
    "__numpy__": _rebuild_array,
    "__slice__": _rebuild_slice,
    "__tensor__": _rebuild_array,
    "__tuple__": _rebuild_tuple,
}
