"""Where each part of a model stands in a weights file, as Keras 3 lays it out.

A part is found under the attribute that holds it, or in the list ``layers`` of a
model if that comes first in the alphabet. Parts in a list are named by their class,
with a running number, because their own names differ from run to run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from polykeras import tree
from polykeras.naming import to_snake_case

__all__ = ["parts"]


def parts(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield the path and the object of every part: layers, models and optimizers.

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
    if _kind(part) == "optimizer":
        inner = getattr(part, "inner_optimizer", None)
        if inner is not None:
            yield _join(path, "inner_optimizer"), inner
        return
    values = dict(part._tracker.attributes)
    layers = part._saved_layers()
    if layers is not None:
        # Keras finds the list of a model's layers among its attributes.
        values = {k: v for k, v in values.items() if k not in part._not_in_files}
        values["layers"] = layers
    for name, value in sorted(values.items()):
        if _kind(value):
            yield _join(path, name), value
        elif isinstance(value, dict):
            yield from _container(_join(path, name), list(value.values()))
        elif isinstance(value, list | tuple):
            yield from _container(_join(path, name), list(value))


def _container(path: str, items: list[Any]) -> Iterator[tuple[str, Any]]:
    used: Counter[str] = Counter()
    for item in tree.flatten(items):
        if _kind(item):
            name = to_snake_case(type(item).__name__)
            count = used[name]
            used[name] += 1
            yield _join(path, f"{name}_{count}" if count else name), item


def _kind(value: Any) -> str:
    kind = getattr(type(value), "_tracked_as", "")
    return kind if kind in ("layer", "optimizer") else ""


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
