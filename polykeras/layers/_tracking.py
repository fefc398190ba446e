"""Notice variables, layers, metrics and seeds assigned to a layer's attributes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from polykeras.variables import Variable

if TYPE_CHECKING:
    from polykeras.layers.layer import Layer

__all__ = ["Tracker", "frozen_structure", "structural", "unique"]

T = TypeVar("T")
_frozen: ContextVar[dict[tuple[int, str], Any] | None] = ContextVar(
    "polykeras_frozen", default=None
)


@contextmanager
def frozen_structure(cache: dict[tuple[int, str], Any]) -> Iterator[None]:
    """Look variables, layers and metrics up once in `cache` during the block.

    Training steps ask for them over and over, and walking all attributes would
    cost more than the step of a small model.
    """
    token = _frozen.set(cache)
    try:
        yield
    finally:
        _frozen.reset(token)


def structural(find: Callable[[Any], T]) -> Callable[[Any], T]:
    """Make a method that lists parts of a layer obey `frozen_structure`."""

    @functools.wraps(find)
    def found(self: Any) -> T:
        cache = _frozen.get()
        if cache is None:
            return find(self)
        key = (id(self), find.__name__)
        if key not in cache:
            cache[key] = find(self)
        return cache[key]  # type: ignore[no-any-return]

    return found


class Tracker:
    """What one layer owns, in the order it was assigned.

    Attributes:
        changes: How many attributes of all layers were set or deleted so far, those
            apart that do not matter to a call.
        own_changes: Those of this layer.

    Lists, tuples and dicts are looked into when asked, so that items appended
    later are found too.
    """

    changes: ClassVar[int] = 0

    def __init__(self) -> None:
        """Own nothing."""
        self.attributes: dict[str, Any] = {}
        self.added: list[Variable] = []
        self.own_changes = 0

    def count_change(self) -> None:
        """Note that a call may compute something else from now on."""
        Tracker.changes += 1
        self.own_changes += 1

    def set(self, name: str, value: Any) -> None:
        """Note an attribute; what cannot hold state is left out."""
        if isinstance(value, Variable | list | tuple | dict) or _is_stateful(value):
            self.attributes[name] = value
        else:
            self.attributes.pop(name, None)

    def delete(self, name: str) -> None:
        """Forget an attribute."""
        self.attributes.pop(name, None)

    def variables(self) -> list[Variable]:
        """Return the variables owned directly."""
        found = [x for x in self._leaves() if isinstance(x, Variable)]
        return unique([*self.added, *found])

    def layers(self) -> list[Layer]:
        """Return the layers owned directly."""
        return self._of_kind("layer")

    def metrics(self) -> list[Any]:
        """Return the metrics owned directly."""
        return self._of_kind("metric")

    def seeds(self) -> list[Any]:
        """Return the seed generators owned directly."""
        return self._of_kind("seed")

    def optimizers(self) -> list[Any]:
        """Return the optimizers owned directly."""
        return self._of_kind("optimizer")

    def _of_kind(self, kind: str) -> list[Any]:
        return unique([x for x in self._leaves() if _kind(x) == kind])

    def _leaves(self) -> list[Any]:
        found: list[Any] = []
        _gather(self.attributes.values(), found)
        return found


def _gather(values: Iterable[Any], found: list[Any]) -> None:
    """Append what is in `values` and in containers among them."""
    for value in values:
        if isinstance(value, list | tuple):
            _gather(value, found)
        elif isinstance(value, dict):
            _gather(value.values(), found)
        else:
            found.append(value)


def _kind(value: Any) -> str:
    # Classes say what they are, so that no module here imports one above it.
    return getattr(type(value), "_tracked_as", "")


def _is_stateful(value: Any) -> bool:
    return bool(_kind(value))


def unique(items: list[Any]) -> list[Any]:
    """Return the items without repeats, in order, by identity."""
    seen: set[int] = set()
    return [x for x in items if not (id(x) in seen or seen.add(id(x)))]  # type: ignore[func-returns-value]
