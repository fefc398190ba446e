"""What an op may ask of any argument: its dtype, its shape, its values if known."""

from __future__ import annotations

from typing import Any

import numpy as np

from polykeras.backend import Array, Tensor, active, host_array
from polykeras.ops._operands import Operand, Traced

__all__ = ["as_tensor", "dtype_of", "known_values"]


def as_tensor(x: Any) -> Tensor:
    """Return `x` as something with a shape and dtype that ops accept."""
    if isinstance(x, Operand):
        return x.operand()
    engine = active()
    return x if engine.is_tensor(x) else engine.convert_to_tensor(x)


def dtype_of(x: Tensor) -> str:
    """Return the canonical dtype name of a tensor."""
    return str(x.dtype) if isinstance(x, Operand) else active().dtype_name(x)


def known_values(x: Any) -> Array | None:
    """Return the values of `x` on the host, or None while a function is traced.

    Args:
        x: A tensor, or whatever NumPy makes an array of.
    """
    if isinstance(x, Operand):
        x = x.operand()
        if isinstance(x, Traced):
            primal = getattr(x, "primal", None)
            return None if primal is None else known_values(primal())
        if isinstance(x, Operand):
            return None
    host = active().host
    if host.is_tensor(x):
        return np.asarray(host.to_numpy(x)) if host.is_concrete(x) else None
    if isinstance(x, list | tuple) and any(_is_unknown(item) for item in x):
        return None
    return host_array(x)


def _is_unknown(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return any(_is_unknown(item) for item in x)
    return not isinstance(x, int | float) and known_values(x) is None
