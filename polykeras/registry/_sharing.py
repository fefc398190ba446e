"""Layers that stand in a config more than once: one object, one set of weights.

Their data carry a ``shared_object_id``. Keras gives it to all occurrences but the
first, so that one is recognised by its equal config.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

__all__ = ["noting_shared", "rebuilding"]

_ID: Final = "shared_object_id"


class _Written:
    """Numbers of the layers written so far."""

    def __init__(self) -> None:
        # The objects are kept, so that their ids stay their own.
        self.known: dict[int, tuple[Any, int]] = {}

    def note(self, obj: Any, data: dict[str, Any]) -> None:
        if getattr(type(obj), "_tracked_as", "") == "layer":
            number = len(self.known)
            data[_ID] = self.known.setdefault(id(obj), (obj, number))[1]


def noting_shared(
    describe: Callable[[_Written], dict[str, Any]],
) -> dict[str, Any]:
    """Return what `describe` does, with an id on the layers that occur repeatedly.

    The outermost of nested calls decides how far layers are shared.

    Args:
        describe: Makes data, and tells its argument of the layers in them.
    """
    written = _written.get()
    if written is not None:
        return describe(written)
    written = _Written()
    token = _written.set(written)
    try:
        data = describe(written)
    finally:
        _written.reset(token)
    counts: Counter[int] = Counter()
    _visit(data, lambda item: counts.update([item[_ID]]))
    _visit(data, lambda item: counts[item[_ID]] > 1 or item.pop(_ID))
    return data


def _visit(data: Any, use: Callable[[dict[str, Any]], Any]) -> None:
    """Apply `use` to the data of all layers."""
    if isinstance(data, dict):
        if isinstance(data.get(_ID), int):
            use(data)
        for value in data.values():
            _visit(value, use)
    elif isinstance(data, list | tuple):
        for value in data:
            _visit(value, use)


class _Rebuilt:
    """Layers made so far, with the data they were made from."""

    def __init__(self) -> None:
        self.made: list[tuple[dict[str, Any], Any]] = []
        self.by_id: dict[Any, Any] = {}

    def find(self, data: dict[str, Any]) -> Any:
        key = data.get(_ID)
        if not isinstance(key, int | str):
            return None
        if key not in self.by_id:
            plain = _without_ids(data)
            for other, obj in self.made:
                if _without_ids(other) == plain:
                    self.by_id[key] = obj
                    break
        return self.by_id.get(key)

    def note(self, data: dict[str, Any], obj: Any) -> None:
        if getattr(type(obj), "_tracked_as", "") != "layer":
            return
        self.made.append((data, obj))
        key = data.get(_ID)
        if isinstance(key, int | str):
            self.by_id[key] = obj


def _without_ids(data: Any) -> Any:
    if isinstance(data, dict):
        return {k: _without_ids(v) for k, v in data.items() if k != _ID}
    if isinstance(data, list | tuple):
        return [_without_ids(v) for v in data]
    return data


_written: ContextVar[_Written | None] = ContextVar("polykeras_written", default=None)
_rebuilt: ContextVar[_Rebuilt | None] = ContextVar("polykeras_rebuilt", default=None)


@contextmanager
def rebuilding() -> Iterator[_Rebuilt]:
    """Share layers among all that is rebuilt in the outermost of nested blocks."""
    current = _rebuilt.get()
    if current is not None:
        yield current
        return
    token = _rebuilt.set(_Rebuilt())
    try:
        yield _rebuilt.get()  # type: ignore[misc]
    finally:
        _rebuilt.reset(token)
