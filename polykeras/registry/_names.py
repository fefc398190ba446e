"""Names for classes and functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, TypeVar

from polykeras.errors import ArgumentError, nearest

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "find_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "is_built_in",
    "name_in_files",
    "public",
    "register_keras_serializable",
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
    own = _BUILT_IN.setdefault(_namespace(obj), {})
    own[obj.__name__] = obj  # type: ignore[attr-defined]
    own[name_in_files(obj)] = obj
    return obj


def name_in_files(obj: Any) -> str:
    """Return the name that Keras' files give a class or function of our own."""
    own: str = obj.__name__
    return str(vars(obj).get("_name_in_files", own))


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
        # There are hundreds of names: the nearest one helps, the list does not.
        hint = nearest(name, known).partition(" Allowed:")[0]
        raise ArgumentError(
            f"Unknown object {name[:80]!r}. "
            f"{hint if hint.startswith('Did') else ''} Register a class of your own "
            "with @register_keras_serializable or pass custom_objects."
        )
    return found


def is_built_in(cls: type) -> bool:
    """Return whether a class is polykeras' own, registered under its own name."""
    return _BUILT_IN.get(_namespace(cls), {}).get(cls.__name__) is cls
