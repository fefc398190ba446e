"""Batches that one dispatch runs: a list of them, or numbers of rows on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from polykeras import tree
from polykeras.backend import Array

__all__ = ["Group", "Plan", "PlanFor", "Rows", "Stacked", "gathered", "grouped"]


class Plan(Protocol):
    """How batches are to be handed out.

    Attributes:
        batches: Batches in a list.
        rows: Batches wanted in the next `Rows`.
        capacity: Most batches in `Rows`; 0 where lists are wanted.
        pads: Whether a last batch of `Rows` is filled up to the size of the others.
        stacks: Whether batches that come one by one are wanted as `Stacked`, as many
            as `rows` says.
    """

    @property
    def batches(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def capacity(self) -> int: ...
    @property
    def pads(self) -> bool: ...
    @property
    def stacks(self) -> bool: ...


@dataclass(frozen=True)
class Rows:
    """Batches of one size, as numbers of rows in tensors that stay on the device.

    Args:
        tensors: The leaves of all data; None for a part that is missing.
        form: Their structure.
        numbers: int32 of shape (count, batch size).
        capacity: Most batches in a group, for which a program is compiled.
        samples: Numbers that count; those behind fill a batch up.
        pads: Whether any batch of the epoch may be filled up.
        in_order: Whether each number is one more than that before.
    """

    tensors: list[Any]
    form: Any
    numbers: Array
    capacity: int
    samples: int
    pads: bool
    in_order: bool

    def __len__(self) -> int:
        return len(self.numbers)

    def padded(self) -> Array:
        """Return the numbers with zeros behind them, `capacity` batches in all."""
        padded = np.zeros((self.capacity, self.numbers.shape[1]), np.int32)
        padded[: len(self.numbers)] = self.numbers
        return padded


@dataclass(frozen=True)
class Stacked:
    """Batches of one form, on a new first axis of arrays on the host.

    Args:
        arrays: The leaves, with room for `capacity` batches; None for a part that is
            missing.
        form: Their structure.
        count: Batches in them.
        capacity: Most batches in a group, for which a program is compiled.
    """

    arrays: list[Any]
    form: Any
    count: int
    capacity: int

    def __len__(self) -> int:
        return self.count


Group = Sequence[Any] | Rows | Stacked
PlanFor = Callable[[Any], Plan]


def grouped(batches: Iterator[Any], plan_for: PlanFor) -> Iterator[Group]:
    """Yield lists of batches, as many as the plan for the first of them says.

    Args:
        batches: Structures of tensors.
        plan_for: Returns the plan for data like a batch; called once.
    """
    group: list[Any] = []
    plan: Plan | None = None
    for batch in batches:
        if plan is None:
            plan = plan_for(batch)
        group.append(batch)
        if len(group) >= plan.batches:
            yield group
            group = []
    if group:
        yield group


def gathered(tensors: list[Any], form: Any, take: Callable[[Any], Any]) -> Any:
    """Return the batch that `take` picks from each tensor."""
    leaves = [None if x is None else take(x) for x in tensors]
    return tree.unflatten_leaves(form, leaves)
