"""Choose how batches are made, by what was passed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from polykeras import tree
from polykeras.backend import Array
from polykeras.errors import ArgumentError, DataError
from polykeras.training.data._ahead import RunGroup
from polykeras.training.data._groups import Group, PlanFor, grouped

__all__ = ["DataAdapter", "DrawOrder", "make_adapter", "split_off", "unpack"]

Inspect = Callable[[Callable[[], Any], Any], bool]
DrawOrder = Callable[[int], Array]


class DataAdapter(ABC):
    """Makes the batches of an epoch.

    Attributes:
        steps: Batches in an epoch, or None where unknown.
        inspect: Called with what returns the inputs of a batch as tensors, and with
            its targets or those of all batches where they are on the host, before the
            batch is handed out; returns whether it wants to see more.
    """

    steps: int | None
    inspect: Inspect | None = None
    # Batches handed out since the data were last started from their beginning.
    _passed = 0
    # Batches to leave out at the start of the next pass, and of the next epoch.
    _to_skip = 0
    _done = 0

    def position(self, done: int) -> int:
        """Return how many batches to skip to be here again.

        Args:
            done: Batches of the current epoch that were handed out.
        """
        under_way = done not in (0, self.steps)
        return self._passed if under_way or self._goes_on else 0

    def resume(self, passed: int, done: int) -> None:
        """Start the next epoch where another run stood.

        Args:
            passed: What `position` returned.
            done: Batches of the epoch that were handed out.
        """
        self._to_skip, self._done = passed, done

    @property
    def _goes_on(self) -> bool:
        """Whether an epoch goes on in the data where the one before ended."""
        return False

    def _take_skip(self) -> int:
        skip, self._to_skip = self._to_skip, 0
        return skip

    def _take_done(self) -> int:
        done, self._done = self._done, 0
        return done

    @abstractmethod
    def epoch(self) -> AbstractContextManager[Iterator[Any]]:
        """Return the batches of one epoch, ``(x, y, sample_weight)`` or less each."""

    @contextmanager
    def groups(
        self, plan_for: PlanFor, runner: RunGroup | None = None
    ) -> Iterator[Iterator[Group]]:
        """Yield the batches of one epoch in groups that are run by one dispatch.

        Args:
            plan_for: Returns the plan for data like a batch, which may have `Spec`
                in place of tensors; called once, before the first group.
            runner: Runs a group that must not wait to be yielded; None if every group
                has to be.
        """
        with self.epoch() as batches:
            yield grouped(batches, plan_for)


def unpack(data: Any) -> tuple[Any, Any, Any]:
    """Return ``(x, y, sample_weight)`` of a batch, None for what is missing.

    A tuple holds the three parts; anything else is `x` alone.

    Raises:
        DataError: If a tuple has more than three parts.
    """
    if isinstance(data, list) and len(data) == 1 and isinstance(data[0], tuple):
        data = data[0]
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise DataError(
            f"A batch is (x,), (x, y) or (x, y, sample_weight), got {len(data)} parts."
        )
    return (*data, None, None)[:3]


def is_array(x: Any) -> bool:
    """Return whether `x` can be indexed by sample as a whole."""
    if isinstance(x, np.ndarray | np.generic):
        return True
    if hasattr(x, "__dataframe__") or type(x).__module__.startswith("pandas"):
        return True
    return hasattr(x, "shape") and hasattr(x, "dtype") and hasattr(x, "__getitem__")


def _holds_arrays(structure: Any) -> bool:
    leaves = [x for x in tree.flatten(structure) if x is not None]
    return bool(leaves) and all(is_array(x) for x in leaves)


def _as_arrays(data: Any) -> Any:
    """Turn (nested) lists of numbers, and single ones in a structure, into arrays."""
    if isinstance(data, dict):
        return {k: _as_arrays(v) for k, v in data.items()}
    if not isinstance(data, list) or not data:
        return data
    leaves = tree.flatten(data)
    if not all(isinstance(v, int | float | np.number) for v in leaves):
        return [_as_arrays(v) for v in data]
    try:
        return np.array(data)
    except ValueError as error:
        raise DataError(
            "The data are lists of numbers of unequal length. Make them equally long, "
            "for example with keras.utils.pad_sequences."
        ) from error


def make_adapter(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    steps: int | None = None,
    repeat: bool = False,
    draw_order: DrawOrder | None = None,
    class_weight: dict[int, float] | None = None,
) -> DataAdapter:
    """Return the adapter for some data.

    Args:
        x: Arrays, tensors, lists or dicts of them, a data frame, a `PyDataset`, a
            generator or another iterable of batches.
        y: Targets, unless `x` yields them.
        sample_weight: Weights, unless `x` yields them.
        batch_size: Samples in a batch, for arrays; None means 32.
        steps: Batches in an epoch; None means all.
        repeat: Whether an epoch goes on where the one before ended, and starts the
            data again where they end before all `steps` are done.
        draw_order: Returns the numbers below its argument in the order of an epoch's
            samples (or batches, where `x` yields them); None keeps the order.
        class_weight: Class to the weight of its samples.

    Raises:
        DataError: If lengths differ or `x` is of no known kind.
        ArgumentError: If `y` or weights are given beside a data set.
    """
    from polykeras.training.data._arrays import ArrayAdapter
    from polykeras.training.data._iterables import IterableAdapter

    if x is None:
        raise DataError("No data: x is None. Pass arrays or a data set.")
    x, y, sample_weight = _as_arrays(x), _as_arrays(y), _as_arrays(sample_weight)
    if _holds_arrays(x):
        return ArrayAdapter(
            x,
            y,
            sample_weight,
            batch_size=32 if batch_size is None else batch_size,
            steps=steps,
            repeat=repeat,
            draw_order=draw_order,
            class_weight=class_weight,
        )
    if isinstance(x, list):
        raise DataError(
            "x is a list of Python objects that are not arrays. Convert it with "
            "np.array(x) first."
        )
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ArgumentError(
                f"x is a {type(x).__name__}, which yields whole batches, so {name} "
                "must be left out: let the data set yield (x, y) or (x, y, "
                "sample_weight)."
            )
    if not hasattr(x, "__iter__") and not hasattr(x, "__getitem__"):
        raise DataError(
            f"Cannot make batches from {type(x).__name__}. Pass arrays, tensors, a "
            "data frame, a PyDataset, a generator or a loader of batches."
        )
    return IterableAdapter(
        x,
        steps=steps,
        repeat=repeat,
        draw_order=draw_order,
        class_weight=class_weight,
    )


def split_off(
    x: Any, y: Any, sample_weight: Any, share: float
) -> tuple[tuple[Any, Any, Any], tuple[Any, ...]]:
    """Hold out the last share of the samples.

    Returns:
        ``(x, y, sample_weight)`` to train on, and the same to validate on.

    Raises:
        ArgumentError: If the data are not arrays or a part would be empty.
    """
    from polykeras.training.data._arrays import to_host

    x, y, sample_weight = _as_arrays(x), _as_arrays(y), _as_arrays(sample_weight)
    if not _holds_arrays((x, y, sample_weight)):
        raise ArgumentError(
            "validation_split works on arrays and tensors. For a data set, pass "
            "validation_data instead."
        )
    x, y, sample_weight = tree.map_leaves(
        lambda a: None if a is None else to_host(a), (x, y, sample_weight)
    )
    size = len(tree.flatten(x)[0])
    cut = int(size * (1.0 - share))
    if not 0 < share < 1 or cut in (0, size):
        raise ArgumentError(
            f"validation_split={share} leaves {cut} of {size} samples to train on "
            f"and {size - cut} to validate on. Both must be positive."
        )

    def part(where: slice) -> Any:
        return tree.map_leaves(
            lambda a: None if a is None else a[where], (x, y, sample_weight)
        )

    held_out = part(slice(cut, None))
    return part(slice(0, cut)), tuple(v for v in held_out if v is not None)
