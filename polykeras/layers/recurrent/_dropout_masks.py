"""Dropout masks that stay the same for all steps of a sequence.

A recurrent layer draws them once before its loop, so that the loop itself draws no
random numbers and a backend can compile it. They are kept for the duration of the
loop only, in a context variable: the cell itself does not change.

Reference: Gal and Ghahramani, 2016, "A Theoretically Grounded Application of Dropout
in Recurrent Neural Networks".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from polykeras.backend import Tensor

__all__ = ["DropoutMasks", "drawn_masks", "keeping_masks"]


class DropoutMasks(NamedTuple):
    """Factors for what enters the products of a cell, None for no dropout.

    Args:
        inputs: ``(G, B, F)`` where G is 1 or the number of gates.
        state: ``(G, B, U)``.
    """

    inputs: Tensor | None
    state: Tensor | None


_NO_CELLS: Mapping[int, DropoutMasks] = {}
_kept: ContextVar[Mapping[int, DropoutMasks]] = ContextVar(
    "polykeras_dropout_masks", default=_NO_CELLS
)


@contextmanager
def keeping_masks(masks: Mapping[int, DropoutMasks]) -> Iterator[None]:
    """Let cells use these masks in the block.

    Args:
        masks: The masks of each cell, by its identity.
    """
    token = _kept.set({**_kept.get(), **masks})
    try:
        yield
    finally:
        _kept.reset(token)


def drawn_masks(cell: object) -> DropoutMasks | None:
    """Return the masks drawn for a cell, None outside of a loop."""
    return _kept.get().get(id(cell))
