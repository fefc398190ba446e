"""Data sets of numbered samples: shuffled, batched, and chained."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from polykeras.errors import ArgumentError
from polykeras.random import make_default_seed
from polykeras.utils.py_dataset import PyDataset

if TYPE_CHECKING:
    from polykeras.backend import Array

__all__ = ["BatchDataset", "SampleDataset", "shuffled"]


def shuffled(size: int, seed: int) -> Array:
    """Return the numbers below `size` in an order that a seed gives."""
    return np.random.Generator(np.random.Philox(seed)).permutation(size)


class BatchDataset(PyDataset):
    """A data set of batches with the methods that data pipelines have.

    `take`, `skip`, `map`, `cache` and `prefetch` return data sets.
    """

    def __len__(self) -> int:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches of one epoch."""
        self.on_epoch_begin()
        yield from self._epoch_batches()
        self.on_epoch_end()

    def take(self, count: int) -> BatchDataset:
        """Return the first `count` batches; -1 means all."""
        size = len(self) if count < 0 else min(count, len(self))
        return _View(self, range(size))

    def skip(self, count: int) -> BatchDataset:
        """Return all batches but the first `count`."""
        return _View(self, range(min(count, len(self)), len(self)))

    def map(
        self, fn: Callable[..., Any], num_parallel_calls: int | None = None
    ) -> BatchDataset:
        """Return batches changed by a function of their parts.

        Args:
            fn: Called with ``x, y`` for batches that are tuples, and with the batch
                otherwise.
            num_parallel_calls: Threads that make batches ahead; None and less than 1
                keep their number.
        """
        mapped = _View(self, range(len(self)), fn)
        if num_parallel_calls is not None and num_parallel_calls > 0:
            mapped._workers = num_parallel_calls
        return mapped

    def cache(self, filename: str = "") -> BatchDataset:
        """Return batches that are made once and kept in memory.

        Args:
            filename: Must be empty: nothing is written.

        Raises:
            ArgumentError: If a file is asked for.
        """
        if filename:
            raise ArgumentError(
                f"cache keeps batches in memory; it cannot write {filename!r}."
            )
        return _Cached(self, range(len(self)))

    def prefetch(self, buffer_size: int = -1) -> BatchDataset:
        """Return the same batches, made ahead by a thread while others are used.

        Args:
            buffer_size: How many at most; -1 leaves that to the data set.
        """
        ahead = _View(self, range(len(self)))
        ahead._workers = max(self.workers, 2)
        if buffer_size > 0:
            ahead._max_queue_size = buffer_size
        return ahead


class _View(BatchDataset):
    """Some batches of another data set, changed by a function."""

    def __init__(
        self,
        source: BatchDataset,
        numbers: range,
        fn: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__(source.workers, max_queue_size=source.max_queue_size)
        self.source = source
        self._numbers = numbers
        self._fn = fn

    def __getattr__(self, name: str) -> Any:
        # class_names and file_paths of the source.
        if name.startswith("_") or name == "source":
            raise AttributeError(name)
        return getattr(self.source, name)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> Any:
        batch = self.source[self._numbers[index]]
        if self._fn is None:
            return batch
        return self._fn(*batch) if isinstance(batch, tuple) else self._fn(batch)

    def on_epoch_begin(self) -> None:
        """Tell the source."""
        self.source.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell the source."""
        self.source.on_epoch_end()


class _Cached(_View):
    """Keeps the batches it has given."""

    def __init__(self, source: BatchDataset, numbers: range) -> None:
        super().__init__(source, numbers)
        self._kept: dict[int, Any] = {}

    def __getitem__(self, index: int) -> Any:
        index = range(len(self))[index]
        if index not in self._kept:
            self._kept[index] = super().__getitem__(index)
        return self._kept[index]


class SampleDataset(BatchDataset):
    """Batches of numbered samples, in an order that may change with each epoch.

    Subclasses define `samples`.

    Args:
        size: Number of samples.
        batch_size: Samples in a batch; None yields single samples.
        shuffle: Whether the order changes after each epoch.
        seed: Where the orders come from; None takes one from the global generator.
        workers: Threads that make batches ahead.
    """

    def __init__(
        self,
        size: int,
        batch_size: int | None,
        *,
        shuffle: bool,
        seed: int | None,
        workers: int = 1,
    ) -> None:
        """Check the batch size and draw the first order."""
        super().__init__(workers)
        if batch_size is not None and not (
            isinstance(batch_size, int) and batch_size > 0
        ):
            raise ArgumentError(
                f"batch_size must be a positive integer or None, got {batch_size!r}."
            )
        self.batch_size = batch_size
        self._size = size
        self._shuffles = shuffle
        self._seed = make_default_seed() if shuffle and seed is None else seed or 0
        self._epoch = 0
        self._order = self._draw()

    def _draw(self) -> Array:
        if not self._shuffles:
            return np.arange(self._size)
        return shuffled(self._size, self._seed + self._epoch)

    def samples(self, numbers: Array) -> Any:
        """Return a batch of the samples of some numbers."""
        raise NotImplementedError

    def __len__(self) -> int:
        return math.ceil(self._size / (self.batch_size or 1))

    def __getitem__(self, index: int) -> Any:
        index = range(len(self))[index]
        if self.batch_size is None:
            batch = self.samples(self._order[index : index + 1])
            if isinstance(batch, tuple):
                return tuple(part[0] for part in batch)
            return batch[0]
        start = index * self.batch_size
        return self.samples(self._order[start : start + self.batch_size])

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch."""
        self._epoch += 1
        self._order = self._draw()
