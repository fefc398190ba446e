"""`PyDataset`: batches by number, made by worker threads if wanted."""

from __future__ import annotations

import itertools
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polykeras.backend import Array

__all__ = ["PyDataset", "Sequence"]


class PyDataset:
    """Base class of data sets that return a batch for its number.

    Subclasses define ``__getitem__(index)``, which returns ``(x, y)`` or ``(x, y,
    sample_weight)``, and ``__len__``.

    Args:
        workers: Threads that make batches ahead; 0 and 1 mean none.
        use_multiprocessing: Kept for Keras' signature; threads are used.
        max_queue_size: Batches made ahead.

    >>> import numpy as np
    >>> class Ones(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...
    ...     def __getitem__(self, index):
    ...         return np.ones((8, 2)), np.full(8, index)
    >>> x, y = Ones()[2]
    >>> x.shape, int(y[0]), Ones().num_batches
    ((8, 2), 2, 3)
    """

    def __init__(
        self,
        workers: int = 1,
        use_multiprocessing: bool = False,
        max_queue_size: int = 10,
    ) -> None:
        """Remember the settings."""
        self._workers = workers
        self._max_queue_size = max_queue_size
        self._use_multiprocessing = use_multiprocessing
        if use_multiprocessing:
            warnings.warn(
                "PyDataset makes batches in threads: use_multiprocessing is ignored.",
                stacklevel=2,
            )

    @property
    def workers(self) -> int:
        """Threads that make batches ahead."""
        return getattr(self, "_workers", 1)

    @property
    def max_queue_size(self) -> int:
        """Batches made ahead."""
        return getattr(self, "_max_queue_size", 10)

    @property
    def use_multiprocessing(self) -> bool:
        """Whether processes were asked for."""
        return getattr(self, "_use_multiprocessing", False)

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch."""
        return len(self) if hasattr(self, "__len__") else None

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} must define __getitem__(index), which returns a "
            "batch."
        )

    def on_epoch_begin(self) -> None:
        """Run before an epoch."""

    def on_epoch_end(self) -> None:
        """Run after an epoch."""

    def _epoch_batches(
        self, draw_order: Callable[[int], Array] | None = None
    ) -> Iterator[Any]:
        """Yield the batches of an epoch.

        Args:
            draw_order: Returns the numbers below its argument in another order.
        """
        count = self.num_batches
        if count is None:
            # As Keras has it, a data set without a length goes on forever.
            order: Iterator[int] = itertools.count()
        elif draw_order is None:
            order = iter(range(count))
        else:
            order = iter(draw_order(count).tolist())
        if self.workers <= 1:
            for i in order:
                yield self[i]
            return
        yield from self._ahead(order)

    def _ahead(self, order: Iterator[int]) -> Iterator[Any]:
        waiting: deque[Future[Any]] = deque()
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                for i in order:
                    waiting.append(pool.submit(self.__getitem__, i))
                    if len(waiting) >= self.max_queue_size:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


Sequence = PyDataset
