"""Masks that follow tensors.

Native tensors of most libraries take no attributes, so masks stand in a table
beside them, and leave it when the tensor does.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = ["get_mask", "set_mask"]

_masks: dict[int, tuple[weakref.ref[Any], Any]] = {}


def get_mask(x: Any) -> Tensor | None:
    """Return the mask of a tensor: True where values count; None for all.

    Args:
        x: A tensor, traced or native.
    """
    if not _masks:
        return None
    entry = _masks.get(id(x))
    return entry[1] if entry is not None and entry[0]() is x else None


def set_mask(x: Any, mask: Tensor | None) -> None:
    """Attach a mask to a tensor, or remove it with None.

    Args:
        x: A tensor, traced or native.
        mask: A boolean tensor over the leading axes of `x`.
    """
    key = id(x)
    if mask is None:
        _masks.pop(key, None)
        return

    def forget(gone: weakref.ref[Any]) -> None:
        entry = _masks.get(key)
        if entry is not None and entry[0] is gone:
            del _masks[key]

    _masks[key] = (weakref.ref(x, forget), mask)
