"""What a recurrent layer asks of a cell, be it ours or a user's."""

from __future__ import annotations

import inspect
from typing import Any

from polykeras import ops
from polykeras.errors import ArgumentError
from polykeras.layers.layer import Layer

__all__ = ["check_cell", "first_state", "output_size", "takes_training"]


def check_cell(owner: str, cell: Any) -> None:
    """Refuse what cannot be stepped.

    Args:
        owner: The class that got it.
        cell: The object to check.

    Raises:
        ArgumentError: If it is not callable or has no `state_size`.
    """
    size = getattr(cell, "state_size", None)
    if not callable(cell) or not hasattr(cell, "call"):
        raise ArgumentError(
            f"{owner} needs a cell: a layer whose call(inputs, states) returns the "
            f"outputs and the new states of one step. Got {cell!r}."
        )
    if not isinstance(size, int | list | tuple):
        raise ArgumentError(
            f"{owner} needs a cell with a state_size: an integer, or a list of one for "
            f"each state. {type(cell).__name__} has {size!r}."
        )


def output_size(cell: Any) -> int:
    """Return the last size of the outputs, by default that of the first state."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size
        size = size[0] if isinstance(size, list | tuple) else size
    return int(size)


def first_state(cell: Any, batch_size: int | None, dtype: str) -> list[Any]:
    """Return what the cell begins with, by default zeros for each state."""
    if hasattr(cell, "get_initial_state"):
        state = cell.get_initial_state(batch_size=batch_size)
        return list(state) if isinstance(state, list | tuple) else [state]
    sizes = cell.state_size
    sizes = [sizes] if isinstance(sizes, int) else sizes
    return [ops.zeros((batch_size, n), dtype=dtype) for n in sizes]


def takes_training(cell: Any) -> bool:
    """Return whether the cell's call has an argument `training`."""
    if isinstance(cell, Layer):
        return cell._signature.has_training
    return "training" in inspect.signature(cell.call).parameters
