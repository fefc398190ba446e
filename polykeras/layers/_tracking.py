"""Notice variables, layers, metrics and seeds assigned to a layer's attributes."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from polykeras.variables import Variable

if TYPE_CHECKING:
    from polykeras.layers.layer import Layer

__all__ = [
    "Tracker",
    "frozen_structure",
    "structural",
    "unique",
    "while_frozen",
    "with_inner_layers",
]

T = TypeVar("T")
# Tuples: a union is made anew wherever it is written, and every assignment and call of
# `fit` asks.
_SEQUENCES: Final = (list, tuple)
_HOLDERS: Final = (Variable, list, dict)
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


def while_frozen(find: Callable[[Any], T]) -> Callable[[Any], T]:
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


def structural(find: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
    """Make a method that lists parts of a layer walk only where parts may differ.

    What it returns may follow from what the trackers of the layer and of those inside
    know, and from whether layers and variables are trainable. It obeys
    `frozen_structure`, too.
    """

    @functools.wraps(find)
    def found(self: Any) -> list[Any]:
        known, name = _lists_of(self), find.__name__
        if name not in known.lists:
            known.lists[name] = find(self)
        return known.lists[name].copy()

    return while_frozen(found)


def with_inner_layers(layer: Any) -> list[Any]:
    """Return a layer and all inside it, each once."""
    return _lists_of(layer).layers.copy()


def _lists_of(layer: Any) -> _Lists:
    """Return what is known of the parts of a layer, as long as it holds."""
    known: _Lists | None = layer._tracker.lists
    if known is None or not known.hold():
        known = layer._tracker.lists = _Lists(_walked(layer))
    return known


class _Lists:
    """Lists of parts of a layer, as long as they hold.

    Attributes:
        layers: The layer and all inside it, each once.
        lists: Name of a method to what it found.

    Args:
        layers: The layer and all inside it, each once.
    """

    def __init__(self, layers: list[Any]) -> None:
        """Remember what the lists follow from."""
        self.layers = layers
        self.lists: dict[str, list[Any]] = {}
        self._version = _version()
        self._containers = [x for layer in layers for x in layer._tracker.containers()]
        self._leaves: list[Any] = []
        _gather(self._containers, self._leaves)

    def hold(self) -> bool:
        """Return whether nothing has changed since."""
        if self._version != _version():
            return False
        if not self._containers:
            return True
        leaves: list[Any] = []
        _gather(self._containers, leaves)
        known = self._leaves
        return len(leaves) == len(known) and all(map(operator.is_, leaves, known))


def _walked(layer: Any) -> list[Any]:
    found: list[Any] = []
    seen: set[int] = set()
    stack: list[Any] = [layer]
    while stack:
        layer = stack.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        found.append(layer)
        stack.extend(reversed(layer._tracker.layers()))
    return found


def _version() -> tuple[int, int, int]:
    return Tracker.changes, Tracker.moves, Variable.switches


class Tracker:
    """What one layer owns, in the order it was assigned.

    Attributes:
        changes: How many attributes of all layers were set or deleted so far, those
            apart that do not matter to a call.
        own_changes: Those of this layer.
        moves: How often any layer got, lost or exchanged a part by assignment.
        lists: What `structural` methods of the layer returned.

    Lists, tuples and dicts are looked into when asked, so that items appended
    later are found too.
    """

    changes: ClassVar[int] = 0
    moves: ClassVar[int] = 0

    def __init__(self) -> None:
        """Own nothing."""
        self.lists: _Lists | None = None
        self.attributes: dict[str, Any] = {}
        self.added: list[Variable] = []
        self.own_changes = 0

    def count_change(self) -> None:
        """Note that a call may compute something else from now on."""
        Tracker.changes += 1
        self.own_changes += 1

    def set(self, name: str, value: Any) -> None:
        """Note an attribute; what cannot hold state is left out."""
        if not _may_hold_parts(value):
            self.delete(name)
        elif self.attributes.get(name) is not value:
            Tracker.moves += 1
            self.attributes[name] = value

    def delete(self, name: str) -> None:
        """Forget an attribute."""
        if name in self.attributes:
            Tracker.moves += 1
            del self.attributes[name]

    def add(self, variable: Variable) -> None:
        """Own a variable that need not be an attribute."""
        Tracker.moves += 1
        self.added.append(variable)

    def containers(self) -> list[Any]:
        """Return the attributes whose parts may change without an assignment."""
        kinds = (list, tuple, dict)
        return [x for x in self.attributes.values() if isinstance(x, kinds)]

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
        if isinstance(value, _SEQUENCES):
            _gather(value, found)
        elif isinstance(value, dict):
            _gather(value.values(), found)
        else:
            found.append(value)


def _kind(value: Any) -> str:
    # Classes say what they are, so that no module here imports one above it.
    return getattr(type(value), "_tracked_as", "")


def _may_hold_parts(value: Any) -> bool:
    if isinstance(value, tuple):
        # Most are shapes or axes.
        return any(map(_may_hold_parts, value))
    return isinstance(value, _HOLDERS) or bool(_kind(value))


def unique(items: list[Any]) -> list[Any]:
    """Return the items without repeats, in order, by identity."""
    seen: set[int] = set()
    return [x for x in items if not (id(x) in seen or seen.add(id(x)))]  # type: ignore[func-returns-value]
