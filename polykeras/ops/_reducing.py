"""What reductions, scans and searches share: conversion, checks, reshaping."""

from __future__ import annotations

import math
from typing import Any

from polykeras import config, dtypes, ops
from polykeras.backend import Array, Tensor
from polykeras.errors import (
    ArgumentError,
    DTypeError,
    OperationNotSupported,
    ShapeError,
)
from polykeras.ops._shapes import reduced_shape
from polykeras.ops._values import as_tensor, dtype_of, known_values

__all__ = [
    "as_inexact",
    "as_inexact_pair",
    "count",
    "host_values",
    "kept",
    "one_of",
    "reduced_last",
    "reject_complex",
    "reject_empty",
    "require_integers",
    "unknown_shape",
    "widened",
]


def as_inexact(x: Any) -> Tensor:
    """Return `x` as a floating or complex tensor; integers become floatx."""
    x = as_tensor(x)
    name = dtype_of(x)
    return x if dtypes.is_inexact(name) else ops.cast(x, config.floatx())


def as_inexact_pair(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Return two tensors in the floating or complex dtype that they have together."""
    x, y = as_tensor(x), as_tensor(y)
    joined = dtypes.result_type(dtype_of(x), dtype_of(y))
    target = dtypes.to_inexact(joined, config.floatx())
    return ops.cast(x, target), ops.cast(y, target)


def widened(x: Tensor) -> Tensor:
    """Return a small float as float32, in which its sums neither overflow nor stall."""
    name = dtype_of(x)
    wide = dtypes.accumulation_dtype(name)
    return x if wide == name else ops.cast(x, wide)


def count(shape: tuple[int, ...], axes: tuple[int, ...]) -> int:
    """Return how many values each result of a reduction over `axes` joins."""
    return math.prod(shape[a] for a in axes)


def kept(
    g: Tensor, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool
) -> Tensor:
    """Return the result of a reduction with its reduced axes as size 1."""
    if keepdims or not axes:
        return g
    return ops.reshape(g, reduced_shape(tuple(shape), axes, True))


def reduced_last(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Return `x` with `axes` moved to the end and joined into one axis."""
    rank = len(x.shape)
    rest = tuple(i for i in range(rank) if i not in axes)
    if rest + axes != tuple(range(rank)):
        x = ops.transpose(x, rest + axes)
    if len(axes) == 1:
        return x
    lead = tuple(x.shape[: len(rest)])
    return ops.reshape(x, (*lead, math.prod(x.shape[len(rest) :])))


def reject_complex(op: str, x: Tensor) -> None:
    """Raise DTypeError for values that have no order."""
    name = dtype_of(x)
    if dtypes.is_complex(name):
        raise DTypeError(
            f"polykeras.ops.{op} expected values that can be ordered, got dtype "
            f"{name} with shape {tuple(x.shape)}. Use ops.abs(x) or ops.real(x)."
        )


def reject_empty(op: str, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    """Raise ShapeError where a reduction without a neutral element has no value."""
    if any(shape[a] == 0 for a in axes):
        raise ShapeError(
            f"polykeras.ops.{op} got the shape {tuple(shape)}, which has no value "
            f"along axis {axes if len(axes) != 1 else axes[0]}. Use an axis whose "
            "size is not 0, or an op that accepts `initial`."
        )


def host_values(op: str, x: Tensor, remedy: str) -> Array:
    """Return the values of a tensor on which the shape of a result depends.

    Raises:
        OperationNotSupported: If they are unknown: while a function is compiled or
            a model is built.
    """
    values = known_values(x)
    if values is None:
        raise unknown_shape(op, remedy)
    return values


def unknown_shape(op: str, remedy: str) -> OperationNotSupported:
    """Return the error for a result whose shape depends on unknown values."""
    return OperationNotSupported(
        f"polykeras.ops.{op}: the shape of the result depends on the values of its "
        "argument, and they are not known while a function is compiled or a model "
        f"is built. {remedy}"
    )


def require_integers(op: str, x: Tensor) -> None:
    """Raise DTypeError unless `x` holds integers."""
    name = dtype_of(x)
    if not dtypes.is_integer(name):
        raise DTypeError(
            f"polykeras.ops.{op} expected integers, got dtype {name} with shape "
            f"{tuple(x.shape)}. Convert with ops.cast(x, 'int32')."
        )


def one_of(op: str, name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise ArgumentError unless `value` is among `choices`."""
    if value not in choices:
        allowed = ", ".join(map(repr, choices))
        raise ArgumentError(
            f"polykeras.ops.{op} expected `{name}` to be one of {allowed}, got "
            f"{value!r}."
        )
