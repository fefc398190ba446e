"""A budget for what a file may make the program allocate.

The sizes in a config are a file's word. While a model is rebuilt from a file, what
is about to be allocated is charged to a budget that the file's real size allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from polykeras import dtypes
from polykeras.errors import UnsafeFileError

__all__ = ["allocation_budget", "charge"]


class _Budget:
    def __init__(self, total: int, source: str) -> None:
        self.total = total
        self.left = total
        self.source = source


_budget: ContextVar[_Budget | None] = ContextVar("polykeras_budget", default=None)


@contextmanager
def allocation_budget(total: int, source: str) -> Iterator[None]:
    """Let what is made in the block hold at most `total` bytes.

    Args:
        total: Bytes for all together.
        source: The file, for messages.
    """
    token = _budget.set(_Budget(total, source))
    try:
        yield
    finally:
        _budget.reset(token)


def charge(shape: Sequence[int], dtype: str, what: str) -> None:
    """Charge an array to the budget that holds here, if any.

    Args:
        shape: Sizes of the axes.
        dtype: Canonical name.
        what: Names the array in messages.

    Raises:
        UnsafeFileError: If the budget does not suffice.
    """
    budget = _budget.get()
    if budget is None:
        return
    size = (
        math.prod(max(0, int(n)) for n in shape) * dtypes.as_numpy_dtype(dtype).itemsize
    )
    if size > budget.left:
        raise UnsafeFileError(
            f"{budget.source} describes {what!r} of shape {tuple(shape)}, which takes "
            f"{size:,} bytes; of the {budget.total:,} that a file of its size may ask "
            f"for, {budget.left:,} are left. If you trust the file, raise "
            "max_expansion or max_bytes with polykeras.saving.loading_limits."
        )
    budget.left -= size
