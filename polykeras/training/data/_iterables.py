"""Batches from generators, `PyDataset` objects and other loaders."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from polykeras import tree
from polykeras.backend import Array, Buffers, active
from polykeras.errors import DataError
from polykeras.training.data._adapter import DataAdapter, DrawOrder, unpack
from polykeras.training.data._ahead import RunGroup, taken_ahead
from polykeras.training.data._arrays import (
    class_weights,
    is_ready,
    is_text,
    to_host,
    to_tensor,
)
from polykeras.training.data._groups import Group, PlanFor, grouped

__all__ = ["IterableAdapter"]

# The host in DLPack's numbering of devices.
_CPU: Final = 1
# The device reads one batch while the next is copied.
_blocks: Final = Buffers(2**22, 4)


class IterableAdapter(DataAdapter):
    """Takes batches from something that yields them.

    Args:
        source: A generator, used up once; or something that starts anew each time
            it is iterated (a loader of another library); or an object with
            ``__len__`` and ``__getitem__`` (`PyDataset`).
        steps: Batches in an epoch; None means until the source ends.
        repeat: Whether an epoch of `steps` goes on where the one before ended.
        draw_order: Passed to sources that can change the order of their batches.
        class_weight: Class to the weight of its samples.
    """

    def __init__(
        self,
        source: Any,
        *,
        steps: int | None,
        repeat: bool,
        draw_order: DrawOrder | None,
        class_weight: dict[int, float] | None,
    ) -> None:
        """Find out how many batches there are."""
        self._source = source
        self._class_weight = class_weight
        self._draw_order = draw_order
        # A `PyDataset` may have `__next__`, too, and begins anew all the same.
        numbered = hasattr(source, "_epoch_batches")
        self._restarts = numbered or not isinstance(source, Iterator)
        self._repeat = repeat
        count = getattr(source, "num_batches", None)
        if count is None:
            count = _length(source)
        self.steps = count if steps is None else steps
        self._limit = steps
        self._running: Iterator[Any] | None = None

    @contextmanager
    def epoch(self) -> Iterator[Iterator[Any]]:
        """Yield the batches of an epoch and tell the source when it is over."""
        with self._on_host() as batches:
            yield map(_tensors, batches)

    @contextmanager
    def groups(
        self, plan_for: PlanFor, runner: RunGroup | None = None
    ) -> Iterator[Iterator[Group]]:
        """Yield the batches of an epoch, `Stacked` where the plan takes them."""
        with self._on_host() as batches:
            yield self._groups(batches, plan_for, runner)

    def _groups(
        self, batches: Iterator[Any], plan_for: PlanFor, runner: RunGroup | None
    ) -> Iterator[Group]:
        first = next(batches, None)
        if first is None:
            return
        plan = plan_for(_tensors(first))
        batches = itertools.chain((first,), batches)
        if plan.stacks and runner is not None:
            yield from taken_ahead(batches, plan, runner, lambda x: [_arguments(x)])
        else:
            yield from grouped(map(_tensors, batches), lambda _: plan)

    @contextmanager
    def _on_host(self) -> Iterator[Iterator[Any]]:
        """Yield the batches with arrays for all that is no tensor of the backend."""
        begin = getattr(self._source, "on_epoch_begin", None)
        if callable(begin):
            begin()
        try:
            yield (self._convert(batch) for batch in self._batches())
        finally:
            end = getattr(self._source, "on_epoch_end", None)
            if callable(end):
                end()

    @property
    def _goes_on(self) -> bool:
        return self._limit is not None and (self._repeat or not self._restarts)

    def _start(self) -> Iterator[Any]:
        skip = self._take_skip()
        self._passed = 0
        for batch in self._source_batches():
            self._passed += 1
            if self._passed > skip:
                yield batch

    def _source_batches(self) -> Iterator[Any]:
        in_order = getattr(self._source, "_epoch_batches", None)
        if in_order is not None:
            batches: Iterator[Any] = in_order(self._draw_order)
            return batches
        if hasattr(self._source, "__iter__"):
            return iter(self._source)
        return (self._source[i] for i in range(len(self._source)))

    def _batches(self) -> Iterator[Any]:
        if self._limit is None:
            if self._take_done() != self.steps:
                yield from self._start()
            return
        if self._running is None or (self._restarts and not self._repeat):
            self._running = self._start()
        for number in range(self._limit - self._take_done()):
            try:
                batch = next(self._running)
            except StopIteration:
                if not (self._restarts and self._repeat):
                    if number == 0 or self._restarts:
                        return
                    raise DataError(
                        f"The generator ended after {number} of {self._limit} steps. "
                        "Let it loop forever, or lower the number of steps."
                    ) from None
                self._running = self._start()
                batch = next(self._running)
            yield batch

    def _convert(self, batch: Any) -> Any:
        if self._class_weight is None and is_ready(batch):
            if self.inspect is not None and len(batch) > 1:
                self._inspect(batch[0], batch[1])
            return batch
        if isinstance(batch, list):
            # Loaders of other libraries yield lists of parts.
            batch = tuple(batch)
        x, y, sample_weight = unpack(batch)
        if self._class_weight is not None and sample_weight is None:
            host = tree.map_leaves(to_host, y)
            sample_weight = class_weights(host, self._class_weight)
        x = _arrays(x)
        if self.inspect is not None and y is not None:
            self._inspect(
                x, _mapped(lambda a: to_host(a) if _is_on_host(a) else None, y)
            )
        parts = [] if y is None else [y]
        if sample_weight is not None:
            parts = [y, sample_weight]
        return (x, *map(_arrays, parts))

    def _inspect(self, x: Any, y: Any) -> None:
        assert self.inspect is not None
        if not self.inspect(lambda: _tensors(x), y):
            self.inspect = None


def _arrays(structure: Any) -> Any:
    engine = active()

    def leaf(a: Any) -> Any:
        return a if a is None or engine.is_tensor(a) else to_host(a)

    return _mapped(leaf, structure)


def _tensors(structure: Any) -> Any:
    engine = active()

    def leaf(a: Any) -> Any:
        return a if a is None or engine.is_tensor(a) else to_tensor(a)

    return _mapped(leaf, structure)


def _arguments(structure: Any) -> Any:
    """Return copies, to which nobody writes, as compiled steps take them."""
    engine = active()

    def copied(a: Array) -> Any:
        block = _blocks.empty(a.shape, a.dtype)
        block[...] = a
        return engine.argument(block)

    def leaf(a: Any) -> Any:
        return a if a is None or engine.is_tensor(a) or is_text(a) else copied(a)

    return _mapped(leaf, structure)


def _mapped(fn: Callable[[Any], Any], structure: Any) -> Any:
    """Map the leaves of a batch or a part of it, which mostly is one array."""
    if type(structure) is np.ndarray:
        return fn(structure)
    if type(structure) is tuple:
        return tuple([_mapped(fn, part) for part in structure])
    return tree.map_leaves(fn, structure)


def _length(source: Any) -> int | None:
    try:
        return len(source)
    except (TypeError, NotImplementedError):
        # Loaders of other libraries have the method, but not always a length.
        return None


def _is_on_host(x: Any) -> bool:
    """Return whether reading `x` does not wait for an accelerator."""
    if type(x) is np.ndarray:
        return True
    device = getattr(x, "__dlpack_device__", None)
    if x is None or device is None:
        return x is not None
    return int(device()[0]) == _CPU
