"""Batches from Python code, some taken before the first of them is run.

Calling a compiled function costs as much as many steps of a small model, so batches
that come one by one are collected on the host and run by one call. The code that makes
them may look at the model: before it reads or assigns a variable, those that wait are
run.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from polykeras import tree
from polykeras.backend import Array, Buffers
from polykeras.state import running_behind
from polykeras.training.data._groups import Group, Plan, Stacked

__all__ = ["RunGroup", "taken_ahead"]

# A batch waits no longer than this, so that the device works while others are made.
_SECONDS: Final = 0.01
_BYTES: Final = 2**20
# Where fewer fit, copying them costs more than the calls that it saves.
_FEWEST: Final = 8
# The device reads one while the next is filled.
_blocks: Final = Buffers(2 * _BYTES, 2)


class RunGroup:
    """How a trainer runs a group at once.

    Args:
        run: Runs it.
        stops: Returns whether no batch is to be taken any more.
    """

    def __init__(
        self, run: Callable[[Group], None], stops: Callable[[], bool] = lambda: False
    ) -> None:
        """Remember both."""
        self.run = run
        self.stops = stops


def taken_ahead(
    batches: Iterator[Any],
    plan: Plan,
    runner: RunGroup,
    alone: Callable[[Any], Group],
) -> Iterator[Group]:
    """Yield groups of batches, and run the one under way when somebody looks.

    Args:
        batches: Structures of arrays.
        plan: How many are wanted together.
        runner: Runs a group.
        alone: Returns the group of a batch whose form is not that of the first.
    """
    usual: _Form | None = None
    stack: _Stack | None = None

    def catch_up() -> None:
        nonlocal stack
        if stack is not None:
            group, stack = stack.group(), None
            runner.run(group)

    ended = False
    while not ended:
        other = None
        try:
            # It must be left before the caller runs.
            with running_behind(catch_up):
                for batch in batches:
                    if usual is None:
                        usual = _Form(batch, plan.capacity)
                    leaves = usual.leaves(batch)
                    if leaves is None:
                        other = batch
                        break
                    if stack is None:
                        stack = _Stack(usual, plan.rows)
                    stack.add(leaves)
                    if stack.is_due() or runner.stops():
                        break
                else:
                    ended = True
        except BaseException:
            # The steps before have happened, as they have where each is run at once.
            catch_up()
            raise
        if stack is not None:
            group, stack = stack.group(), None
            yield group
        if other is not None:
            yield alone(other)


class _Form:
    """The form of most batches.

    Args:
        batch: The first batch.
        most: The most batches that are wanted together.
    """

    def __init__(self, batch: Any, most: int) -> None:
        """Look at the shapes."""
        leaves, self.structure = tree.flatten_leaves(batch)
        self.arrays = [None if a is None else (a.shape, a.dtype) for a in leaves]
        size = sum(a.nbytes for a in leaves if a is not None)
        fits = 1 << max((_BYTES // max(size, 1)).bit_length() - 1, 0)
        self.capacity = min(most, fits)
        self._stackable = fits >= _FEWEST and all(map(_is_stackable, leaves))
        flat = type(batch) is tuple and all(map(operator.is_, batch, leaves))
        known = [x for x in self.arrays if x is not None]
        self._usual = known if flat and len(known) == len(batch) else []

    def leaves(self, batch: Any) -> Sequence[Any] | None:
        """Return the leaves of a batch that can be stacked with the first, or None."""
        if not self._stackable:
            return None
        usual = self._usual
        if usual and type(batch) is tuple and len(batch) == len(usual):
            # What is done below, for what most batches are.
            for a, (shape, dtype) in zip(batch, usual, strict=False):
                if (
                    type(a) is not np.ndarray
                    or a.dtype is not dtype
                    or a.shape != shape
                ):
                    break
            else:
                return batch
        leaves, structure = tree.flatten_leaves(batch)
        if structure != self.structure:
            return None
        for a, known in zip(leaves, self.arrays, strict=True):
            if a is None or known is None:
                if a is not known:
                    return None
            elif type(a) is not np.ndarray or (a.shape, a.dtype) != known:
                return None
        return leaves


class _Stack:
    """Copies of batches, whose maker may write to the arrays again.

    Args:
        form: That of all.
        wanted: How many are wanted together.
    """

    def __init__(self, form: _Form, wanted: int) -> None:
        """Find room."""
        self.count = 0
        self._form = form
        self._wanted = min(wanted, form.capacity)
        self._began = time.perf_counter()
        self._blocks: list[Array | None] = [
            None if x is None else _blocks.empty((form.capacity, *x[0]), x[1])
            for x in form.arrays
        ]

    def add(self, leaves: Sequence[Any]) -> None:
        """Copy one more batch."""
        count = self.count
        for block, a in zip(self._blocks, leaves, strict=False):
            if block is not None:
                block[count] = a
        self.count = count + 1

    def is_due(self) -> bool:
        """Return whether enough batches are here, or the first has waited long."""
        enough = self.count >= self._wanted
        return enough or time.perf_counter() - self._began > _SECONDS

    def group(self) -> Stacked:
        """Return what is run."""
        form = self._form
        return Stacked(self._blocks, form.structure, self.count, form.capacity)


def _is_stackable(a: Any) -> bool:
    return a is None or (type(a) is np.ndarray and a.dtype.kind not in "SU")
