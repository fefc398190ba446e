"""Batches from generators, `PyDataset` objects and other loaders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from polykeras import tree
from polykeras.backend import active
from polykeras.errors import DataError
from polykeras.training.data._adapter import DataAdapter, unpack
from polykeras.training.data._arrays import class_weights, to_host

__all__ = ["IterableAdapter"]


class IterableAdapter(DataAdapter):
    """Takes batches from something that yields them.

    Args:
        source: A generator, used up once; or something that starts anew each time
            it is iterated (a loader of another library); or an object with
            ``__len__`` and ``__getitem__`` (`PyDataset`).
        steps: Batches in an epoch; None means until the source ends.
        shuffle: Passed to sources that can shuffle their batches.
        class_weight: Class to the weight of its samples.
    """

    def __init__(
        self,
        source: Any,
        *,
        steps: int | None,
        shuffle: bool,
        class_weight: dict[int, float] | None,
    ) -> None:
        """Find out how many batches there are."""
        self._source = source
        self._class_weight = class_weight
        self._shuffle = shuffle
        self._restarts = hasattr(source, "__len__") or (
            iter(source) is not source if hasattr(source, "__iter__") else True
        )
        count = getattr(source, "num_batches", None)
        if count is None and hasattr(source, "__len__"):
            count = len(source)
        self.steps = steps if steps is not None else count
        self._limit = steps
        self._running: Iterator[Any] | None = None

    @contextmanager
    def epoch(self) -> Iterator[Iterator[Any]]:
        """Yield the batches of an epoch and tell the source when it is over."""
        begin = getattr(self._source, "on_epoch_begin", None)
        if callable(begin):
            begin()
        try:
            yield (self._convert(batch) for batch in self._batches())
        finally:
            end = getattr(self._source, "on_epoch_end", None)
            if callable(end):
                end()

    def _start(self) -> Iterator[Any]:
        shuffled: Callable[[bool], Iterator[Any]] | None
        shuffled = getattr(self._source, "_epoch_batches", None)
        if shuffled is not None:
            return shuffled(self._shuffle)
        if hasattr(self._source, "__iter__"):
            return iter(self._source)
        return (self._source[i] for i in range(len(self._source)))

    def _batches(self) -> Iterator[Any]:
        if self._limit is None:
            yield from self._start()
            return
        if self._running is None:
            self._running = self._start()
        for number in range(self._limit):
            try:
                batch = next(self._running)
            except StopIteration:
                if not self._restarts:
                    if number == 0:
                        return
                    raise DataError(
                        f"The generator ended after {number} of {self._limit} steps. "
                        "Let it loop forever, or lower the number of steps."
                    ) from None
                self._running = self._start()
                batch = next(self._running)
            yield batch

    def _convert(self, batch: Any) -> Any:
        if isinstance(batch, list):
            # Loaders of other libraries yield lists of parts.
            batch = tuple(batch)
        x, y, sample_weight = unpack(batch)
        if self._class_weight is not None and sample_weight is None:
            host = tree.map_leaves(to_host, y)
            sample_weight = class_weights(host, self._class_weight)
        convert = active().convert_to_tensor
        parts = [x] if y is None else [x, y]
        if sample_weight is not None:
            parts = [x, y, sample_weight]

        def leaf(a: Any) -> Any:
            if a is None:
                return None
            return a if active().is_tensor(a) else convert(to_host(a))

        return tuple(tree.map_leaves(leaf, part) for part in parts)
