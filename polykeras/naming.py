"""Automatic names: ``dense``, ``dense_1``, ``dense_2``."""

from __future__ import annotations

import gc
import re
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from polykeras.errors import ArgumentError

__all__ = [
    "auto_name",
    "checked_name",
    "clear_names",
    "clear_session",
    "describe",
    "get_uid",
    "settings",
    "to_snake_case",
    "unique_name",
]

_used: Counter[str] = Counter()
_uids: Counter[str] = Counter()
_lock = threading.Lock()


def to_snake_case(name: str) -> str:
    """Return a class name in snake case.

    >>> to_snake_case("Conv2DTranspose"), to_snake_case("LSTM")
    ('conv2d_transpose', 'lstm')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def unique_name(prefix: str) -> str:
    """Return `prefix` the first time, then with a running number."""
    with _lock:
        count = _used[prefix]
        _used[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def auto_name(cls: type) -> str:
    """Return a name for a new object of a class."""
    return unique_name(to_snake_case(cls.__name__))


def describe(obj: object, values: Mapping[str, Any]) -> str:
    """Return a representation of an object by what it was made with.

    >>> describe(Counter(), {"monitor": "loss", "patience": 3})
    "<Counter monitor='loss', patience=3>"
    """
    shown = ", ".join(f"{name}={value!r}" for name, value in values.items())
    return f"<{type(obj).__name__}{' ' * bool(shown)}{shown}>"


def settings(obj: object) -> dict[str, Any]:
    """Return the public attributes of an object that hold plain values."""
    return {
        name: value
        for name, value in vars(obj).items()
        if not name.startswith("_")
        and isinstance(value, str | bool | int | float | None)
    }


def checked_name(name: str | None) -> str | None:
    """Return a name that a user or a file gave a layer.

    Raises:
        ArgumentError: If it is no string, or would be taken for a path.
    """
    if name is None or (isinstance(name, str) and "/" not in name):
        return name
    raise ArgumentError(
        f"A layer's name is a string without '/', which separates the parts of paths; "
        f"got {name!r}."
    )


def clear_names() -> None:
    """Start counting anew."""
    with _lock:
        _used.clear()


def get_uid(prefix: str = "") -> int:
    """Return how often a number was asked for with this prefix, from 1 on."""
    with _lock:
        _uids[prefix] += 1
        return _uids[prefix]


def clear_session(free_memory: bool = True) -> None:
    """Forget the names given so far; models and seeds stay as they are.

    Nothing else is kept behind the user's back: a model's memory is freed with
    its last reference.

    Args:
        free_memory: Whether to collect garbage at once.

    >>> import polykeras as keras
    >>> keras.utils.clear_session()
    >>> keras.layers.Dense(1).name, keras.layers.Dense(1).name
    ('dense', 'dense_1')
    """
    with _lock:
        _used.clear()
        _uids.clear()
    if free_memory:
        gc.collect()
