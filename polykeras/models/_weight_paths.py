"""Where each part of a model stands in a weights file, as Keras 3 lays it out.

A part is found under the attribute that holds it; the layers of a sequential or
functional model stand under ``layers``; parts in a list are named by their class,
with a running number, because their own names differ from run to run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from polykeras.naming import to_snake_case

__all__ = ["parts"]


def parts(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield the path and the object of every part that owns variables.

    Args:
        model: A model or layer; its own path is empty.
    """
    seen: set[int] = set()
    stack: list[tuple[str, Any]] = [("", model)]
    while stack:
        path, part = stack.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield path, part
        stack.extend(reversed(list(_children(path, part))))


def _children(path: str, part: Any) -> Iterator[tuple[str, Any]]:
    from polykeras.models.functional import Functional  # these import this module
    from polykeras.models.sequential import Sequential

    if isinstance(part, Functional | Sequential):
        yield from _container(_join(path, "layers"), part.layers)
        return
    for name, value in sorted(part._tracker.attributes.items()):
        if _is_part(value):
            yield _join(path, name), value
        elif isinstance(value, dict):
            yield from _container(_join(path, name), list(value.values()))
        elif isinstance(value, list | tuple):
            yield from _container(_join(path, name), list(value))


def _container(path: str, items: list[Any]) -> Iterator[tuple[str, Any]]:
    used: Counter[str] = Counter()
    for item in items:
        if _is_part(item):
            name = to_snake_case(type(item).__name__)
            count = used[name]
            used[name] += 1
            yield _join(path, f"{name}_{count}" if count else name), item


def _is_part(value: Any) -> bool:
    return getattr(type(value), "_tracked_as", "") == "layer"


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
