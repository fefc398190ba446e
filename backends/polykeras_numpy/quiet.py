"""NumPy's warnings of overflow and invalid values, off at little cost.

`numpy.errstate` takes a microsecond to enter and leave, as long as three small
operations. It sets one context variable; here that variable and its value are read
off once, and set directly from then on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any, Final, TypeVar, cast

import numpy as np

__all__ = ["quiet", "quiet_block"]

F = TypeVar("F", bound=Callable[..., Any])


def _find() -> tuple[ContextVar[Any], Any] | None:
    """Return what `errstate` sets, or None where it is no context variable."""
    before = dict(copy_context())
    with np.errstate(all="ignore"):
        inside = dict(copy_context())
    changed = [(k, v) for k, v in inside.items() if before.get(k) is not v]
    return changed[0] if len(changed) == 1 else None


_setting: Final = _find()


def quiet(kernel: F) -> F:
    """Return `kernel` with floating-point warnings off while it runs."""
    if _setting is None:
        return np.errstate(all="ignore")(kernel)
    variable, ignoring = _setting
    current, enter, leave = variable.get, variable.set, variable.reset

    def call(*args: Any) -> Any:
        if current(None) is ignoring:
            return kernel(*args)
        token = enter(ignoring)
        try:
            return kernel(*args)
        finally:
            leave(token)

    # For callers that are quiet already.
    call.loud = kernel  # type: ignore[attr-defined]
    return cast("F", functools.update_wrapper(call, kernel))


@contextmanager
def quiet_block() -> Iterator[None]:
    """Turn the warnings off in a block, in which quiet kernels have nothing to do."""
    if _setting is None:
        with np.errstate(all="ignore"):
            yield
        return
    variable, ignoring = _setting
    token = variable.set(ignoring)
    try:
        yield
    finally:
        variable.reset(token)
