"""Whether a model runs any code that polykeras does not know.

Such code may print, count or draw numbers. Run once by a tracer and replayed, it would
do so once, so steps that hold some are compiled only where the user asks for it.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, MethodType
from typing import Any, Final

from polykeras.backend import Backend

__all__ = ["only_library_code"]

_KNOWN: Final = sys.stdlib_module_names | {"polykeras", "numpy", "ml_dtypes", "optree"}
# What a model keeps of its runs and calls: callbacks, data and programs are no part of
# a step. The tracker holds the same things again.
_OF_RUNS: Final = frozenset(
    {"_calls", "_fit_run", "_resumption", "_steps", "_tracker", "history"}
)


def only_library_code(parts: Iterable[Any], backend: Backend) -> bool:
    """Return whether everything that `parts` can call comes with polykeras.

    Args:
        parts: Layers, losses, metrics and optimizers.
        backend: The backend that they run on.
    """
    known = _KNOWN | {_root(type(backend)), _root(backend.tensor_type)}
    seen: set[int] = set()
    left = list(parts)
    while left:
        x = left.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        owner = x if isinstance(x, type | FunctionType) else type(x)
        if _root(owner) not in known:
            return False
        left += _within(x)
    return True


def _root(owner: Any) -> str:
    return str(owner.__module__).partition(".")[0]


def _within(x: Any) -> Iterator[Any]:
    """Yield what an object or function may call in turn."""
    if isinstance(x, type | str | bytes | int | float | Backend):
        return
    if isinstance(x, Mapping):
        yield from x.values()
    elif isinstance(x, list | tuple | set | frozenset):
        yield from x
    if isinstance(x, FunctionType):
        yield from inspect.getclosurevars(x).nonlocals.values()
        return
    if isinstance(x, MethodType):
        yield from (x.__func__, x.__self__)
        return
    if isinstance(x, functools.partial):
        yield from (x.func, *x.args, *x.keywords.values())
    yield from (v for k, v in getattr(x, "__dict__", {}).items() if k not in _OF_RUNS)
    for owner in type(x).__mro__:
        slots = owner.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if not name.startswith("__"):
                yield getattr(x, name, None)
