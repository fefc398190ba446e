"""How many steps one call of a compiled function runs, and the loop inside it.

Calling a compiled function costs as much as a step of a small model. Where the
backend's loops are as fast as single calls, a dispatch runs as many steps as fill a
tenth of a second, so that progress and interrupts stay prompt. The number of steps is
an argument of the loop, not part of the program: none is compiled twice.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from polykeras import ops, tree
from polykeras.ops._abstract import Spec

__all__ = ["MOST_STEPS", "Backlog", "DispatchPlan", "Pace", "capacity_for", "loop"]

_SECONDS: Final = 0.1
MOST_STEPS: Final = 512
_MOST_ROWS: Final = 2**18
_UNDER_WAY: Final = 2


def capacity_for(batch_size: int, steps: int | None) -> int:
    """Return for how many steps a loop is compiled: a power of two.

    Args:
        batch_size: Samples of a step; their numbers are an argument of the loop.
        steps: Steps in an epoch; None if unknown.
    """
    most = min(MOST_STEPS, max(_MOST_ROWS // max(batch_size, 1), 1))
    wanted = most if steps is None else min(steps, most)
    return 1 << max(wanted - 1, 0).bit_length()


class Pace:
    """Chooses the number of steps of a dispatch by the time that others took.

    Args:
        wait: Waits until the tensors in a structure exist.
    """

    def __init__(self, wait: Callable[[Any], None]) -> None:
        """Start with single steps."""
        self.size = 1
        self._wait = wait
        self._pending: tuple[Any, int, float] | None = None

    def note(self, result: Any, count: int, began: float) -> None:
        """Take in a dispatch that is under way, and wait for the one before.

        So the device always has work, and never more than the next dispatch.

        Args:
            result: What it will return.
            count: Its steps.
            began: `time.perf_counter()` when it was made.
        """
        if self._pending is not None:
            before, steps, start = self._pending
            called = time.perf_counter()
            self._wait(before)
            done = time.perf_counter()
            self.took(steps, done - start)
            # Calls return at once, and then this one starts where that before ended,
            # or when their work is done.
            if done - called > called - began:
                began = done
        self._pending = (result, count, began)

    def took(self, count: int, seconds: float) -> None:
        """Take in a dispatch that is done: its steps and their time."""
        fits = int(_SECONDS * count / max(seconds, 1e-9))
        # A dispatch during which another program had the processor says little.
        self.size = max(1, self.size // 2, min(2 * self.size, fits))

    def forget(self) -> None:
        """Take in nothing of the dispatch before: it compiled, or an epoch ended."""
        self._pending = None


class Backlog:
    """Lets few calls be under way, each of which holds the batch that it reads.

    For libraries whose calls return before their work is done, and whose results can be
    waited for one by one.

    Args:
        wait: Waits until the tensors in a structure exist.
    """

    def __init__(self, wait: Callable[[Any], None]) -> None:
        """Start with none."""
        self._wait = wait
        self._results: deque[Any] = deque()

    def add(self, result: Any) -> None:
        """Take in the result of a call, and wait for that of the one before the last.

        So the device always has work.
        """
        self._results.append(result)
        if len(self._results) > _UNDER_WAY:
            self._wait(self._results.popleft())


@dataclass
class DispatchPlan:
    """What a step wants of the data; see `polykeras.training.data.Plan`.

    Args:
        batches: Batches in a list.
        capacity: Most batches in `Rows`; 0 where lists are wanted.
        pace: Chooses the batches of `Rows`; None means as many as in a list.
        apart: Returns whether samples do not depend on others of their batch.
    """

    batches: int
    capacity: int = 0
    pace: Pace | None = None
    apart: Callable[[], bool] = lambda: False

    @property
    def pads(self) -> bool:
        """Whether a last batch of `Rows` is filled up to the size of the others."""
        return self.apart()

    @property
    def stacks(self) -> bool:
        """Whether batches that come one by one are collected for a dispatch."""
        return self.pace is not None

    @property
    def rows(self) -> int:
        """Batches wanted in the next `Rows`."""
        wanted = self.batches if self.pace is None else self.pace.size
        return min(wanted, self.capacity)


def loop(
    step: Callable[[Any, Any], tuple[Any, Any]],
    state: Any,
    count: Any,
    result: Any,
    capacity: int,
    *,
    collects: bool,
) -> tuple[Any, Any]:
    """Run a step some times, inside a compiled function.

    Args:
        step: Takes the step's number and the state, returns its result and the next
            state.
        state: The first state.
        count: How often it runs; an int32 tensor, at most `capacity`.
        result: The step's result, with `Spec` for tensors.
        capacity: Room for results.
        collects: Whether all results are kept, on a new first axis, or the last.

    Returns:
        The result, zeros where there is none, and the last state.
    """

    def room(spec: Spec) -> Any:
        shape = (capacity, *spec.shape) if collects else spec.shape
        return ops.zeros(shape, spec.dtype)

    def put(old: Any, new: Any, i: Any) -> Any:
        new = ops.cast(new, ops.dtype(old))
        if not collects:
            return new
        start = (i, *(0 for _ in new.shape))
        return ops.slice_update(old, start, ops.expand_dims(new, 0))

    def body(i: Any, state: Any, kept: Any) -> tuple[Any, Any, Any]:
        result, state = step(i, state)
        kept = tree.map_leaves(lambda old, new: put(old, new, i), kept, result)
        return ops.add(i, 1), state, kept

    first = (ops.zeros((), "int32"), state, tree.map_leaves(room, result))
    _, state, kept = ops.while_loop(lambda i, *_: ops.less(i, count), body, first)
    return kept, state
