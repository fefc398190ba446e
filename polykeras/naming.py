"""Automatic names: ``dense``, ``dense_1``, ``dense_2``."""

from __future__ import annotations

import re
import threading
from collections import Counter

__all__ = ["auto_name", "clear_names", "to_snake_case", "unique_name"]

_used: Counter[str] = Counter()
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


def clear_names() -> None:
    """Start counting anew."""
    with _lock:
        _used.clear()
