"""Deep copies of what layers and graphs hold."""

from __future__ import annotations

import copy
from types import FunctionType
from typing import Any, Final

__all__ = ["copied", "is_constant"]

# Most attributes are of these types, of which a copy would be the same object.
_ATOMIC: Final = frozenset((type(None), bool, int, float, str, FunctionType))


def is_constant(value: Any) -> bool:
    """Return whether copies may share a value, as they do names, shapes and axes."""
    if type(value) is tuple:
        return all(map(is_constant, value))
    return type(value) in _ATOMIC


def copied(value: Any, memo: dict[int, Any]) -> Any:
    """Do as `copy.deepcopy`, which takes long to tell plain containers from others.

    Args:
        value: Anything.
        memo: The copies so far, by the `id` of the original.
    """
    kind = type(value)
    if kind in _ATOMIC:
        return value
    if id(value) in memo:
        return memo[id(value)]
    new: Any
    if kind is list:
        new = memo[id(value)] = []
        new += [copied(x, memo) for x in value]
    elif kind is dict:
        new = memo[id(value)] = {}
        new |= {copied(k, memo): copied(x, memo) for k, x in value.items()}
    elif kind is tuple:
        new = value if is_constant(value) else tuple(copied(x, memo) for x in value)
    elif hasattr(kind, "__deepcopy__"):
        new = memo[id(value)] = kind.__deepcopy__(value, memo)
    else:
        new = copy.deepcopy(value, memo)
    return new
