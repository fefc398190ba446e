"""Compare the outputs of engines with each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from polykeras.backend import Array
from polykeras.compare._measures import Measure, judge, measure
from polykeras.compare._report import Item
from polykeras.compare._store import Store

__all__ = ["Pairs"]


class Pairs:
    """Remembers the outputs of engines and compares each with those before.

    Two engines may lie on different sides of the reference, so the bound of a pair is
    the sum of both bounds.

    Args:
        store: Holds the arrays.
        engines: How many engines are compared with each other.
    """

    def __init__(self, store: Store, engines: int) -> None:
        """Start without outputs."""
        self._engines = engines
        self.items: list[Item] = []
        self._store = store
        self._kept: dict[str, list[tuple[Item, Array]]] = {}

    def add(self, item: Item, output: Array) -> None:
        """Compare one output of an engine as the model ran.

        Args:
            item: Its comparison with the reference.
            output: The output.
        """
        if self._engines < 2:
            return
        kept = self._kept.setdefault(item.name, [])
        for other, before in kept:
            if before.shape != output.shape:
                continue
            error: Measure = measure(output, before, item.dtype)
            bound = item.bound + other.bound
            verdict = judge(error, bound)
            self.items.append(
                replace(
                    item,
                    against=other.engine,
                    error=error,
                    bound=bound,
                    verdict=verdict,
                    accumulated=verdict,
                    local=None,
                    why="the sum of the bounds of both engines",
                    ops=(),
                    curve=None,
                )
            )
        if len(kept) < self._engines - 1:
            kept.append((item, self._store.keep(np.array(output))))
