"""Reductions and scans along axes."""

from __future__ import annotations

from typing import Any

from polykeras.backend import Tensor
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import primitive
from polykeras.ops._shapes import canonical_axes, reduced_shape

__all__ = ["sum"]


@primitive(tensor="x")
def sum(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the sum over axes."""


@sum.prepare
def _(x: Tensor, axis: Any = None, keepdims: bool = False) -> tuple[Any, ...]:
    return x, canonical_axes("sum", axis, len(x.shape)), keepdims


@sum.abstract
def _(x: Spec, axis: tuple[int, ...], keepdims: bool) -> Spec:
    return Spec(reduced_shape(x.shape, axis, keepdims), x.dtype)
