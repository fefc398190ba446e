"""Which layer feeds which, by the names that the items of a report have."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from polykeras.layers.layer import Layer
from polykeras.models.functional import Functional
from polykeras.models.model import Model
from polykeras.models.sequential import Sequential

__all__ = ["Placed", "edges_of", "placed"]

_Ends = frozenset[str]


def edges_of(model: Model) -> list[tuple[str, str]]:
    """Return pairs of calls of layers, of which the first feeds the second.

    Ops between layers are passed through. Of a model that is code, such as a
    subclassed one, only the call itself is known.

    Args:
        model: The model.

    >>> import polykeras as keras
    >>> x = keras.Input((2,))
    >>> y = keras.layers.Dense(2, name="one")(x)
    >>> y = keras.layers.Add(name="sum")([keras.ops.tanh(y), y])
    >>> edges_of(keras.Model(x, y, name="net"))
    [('net/one', 'net/sum')]
    """
    walk = _Walk()
    walk.follow(model, model.name, [])
    return list(walk.edges)


@dataclass
class _Walk:
    """One pass over a graph and the graphs inside of it."""

    edges: dict[tuple[str, str], None] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def follow(self, model: Model, path: str, fed: list[_Ends]) -> list[_Ends]:
        """Return the calls that end in each output of a model.

        Args:
            model: The model.
            path: Its place.
            fed: The calls that end in each of its inputs; empty for the outermost.
        """
        inner = model._functional if isinstance(model, Sequential) else model
        if not isinstance(inner, Functional):
            return [self._call(path, fed)]
        graph = inner._graph
        none: _Ends = frozenset()
        ends = {
            id(x): fed[i] if i < len(fed) else none for i, x in enumerate(graph.inputs)
        }
        for node in graph.nodes:
            sources = [ends.get(id(x), none) for x in node.inputs]
            operation: Any = node.operation
            if isinstance(operation, Model):
                found = self.follow(operation, f"{path}/{operation.name}", sources)
            elif isinstance(operation, Layer):
                found = [self._call(f"{path}/{operation.name}", sources)]
            else:
                found = [none.union(*sources)]
            for i, x in enumerate(node.outputs):
                ends[id(x)] = found[i if i < len(found) else 0]
        return [ends.get(id(x), none) for x in graph.outputs]

    def _call(self, path: str, sources: list[_Ends]) -> _Ends:
        number = self.counts[path]
        self.counts[path] += 1
        name = f"{path}[{number}]" if number else path
        self.edges |= {(a, name): None for ends in sources for a in sorted(ends)}
        return frozenset({name})


@dataclass(frozen=True)
class Placed:
    """A call at its place in a picture: column and row, from 0."""

    name: str
    column: int
    row: int


def placed(names: list[str], edges: list[tuple[str, str]]) -> list[Placed]:
    """Give each call a row below all that feed it.

    Args:
        names: The calls in the order in which they end.
        edges: Which feeds which; calls without any stand one below the other.
    """
    known = set(names)
    pairs = [(a, b) for a, b in edges if a in known and b in known]
    if not pairs:
        return [Placed(name, 0, i) for i, name in enumerate(names)]
    sources: dict[str, list[str]] = {name: [] for name in names}
    for a, b in pairs:
        sources[b].append(a)
    rows: dict[str, int] = {}
    for name in names:
        rows[name] = 1 + max((rows.get(a, -1) for a in sources[name]), default=-1)
    columns: Counter[int] = Counter()
    result = []
    for name in names:
        row = rows[name]
        result.append(Placed(name, columns[row], row))
        columns[row] += 1
    return result
