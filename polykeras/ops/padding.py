"""Adding values around a tensor."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError, nearest
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._registry import REGISTRY
from polykeras.ops._values import as_tensor, dtype_of, known_values

__all__ = ["pad", "pad_constant"]

Pads = tuple[tuple[int, int], ...]
_PAD_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


@primitive(tensor="x")
def pad_constant(x: Tensor, pad_width: Pads, value: complex = 0) -> Tensor:
    """Return the tensor surrounded by one value; `pad` offers more ways.

    Args:
        x: A tensor of rank N.
        pad_width: N pairs: how many values before and after, on each axis.
        value: The number to pad with.

    Returns:
        A tensor of the dtype of `x`.
    """


@pad_constant.prepare
def _(x: Tensor, pad_width: Any, value: complex = 0) -> tuple[Any, ...]:
    pads = tuple((operator.index(b), operator.index(a)) for b, a in pad_width)
    if len(pads) != len(x.shape) or any(n < 0 for pair in pads for n in pair):
        raise ArgumentError(
            f"polykeras.ops.pad expected a pair (before, after) of sizes >= 0 for each "
            f"of {len(x.shape)} axes, got {pad_width}."
        )
    return x, pads, value


@pad_constant.abstract
def _(x: Spec, pad_width: Pads, value: complex) -> Spec:
    sizes = zip(x.shape, pad_width, strict=True)
    return Spec(tuple(b + n + a for n, (b, a) in sizes), x.dtype)


@pad_constant.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, pad_width: Pads, value: complex) -> Tensor:
    inside = tuple(
        slice(b, b + n) for n, (b, _a) in zip(x.shape, pad_width, strict=True)
    )
    return REGISTRY["basic_index"](g, inside)


@op(tensor="x")
def pad(
    x: Tensor,
    pad_width: Any,
    mode: str = "constant",
    constant_values: Any = None,
) -> Tensor:
    """Return the tensor with values added around it.

    Args:
        x: A tensor of rank N.
        pad_width: How many values before and after: one number, one pair, or a
            pair for each axis.
        mode: ``"constant"``; ``"edge"`` repeats the outermost values;
            ``"reflect"`` and ``"symmetric"`` mirror without and with them;
            ``"wrap"`` continues at the other end.
        constant_values: The number to pad with under ``"constant"``; None means 0.

    Returns:
        A larger tensor of the dtype of `x`.

    Raises:
        ArgumentError: If the mode is unknown, sizes are negative, or
            `constant_values` is given with another mode.

    >>> import polykeras as keras
    >>> [int(v) for v in keras.ops.pad([1, 2, 3], (2, 1), mode="reflect")]
    [3, 2, 1, 2, 3, 2]
    """
    x = as_tensor(x)
    pads = _pad_pairs(x, pad_width)
    if mode not in _PAD_MODES:
        raise ArgumentError(
            f"polykeras.ops.pad got the unknown mode {mode!r}. "
            f"{nearest(mode, _PAD_MODES)}"
        )
    if mode == "constant":
        return _pad_with(x, pads, 0 if constant_values is None else constant_values)
    if constant_values is not None:
        raise ArgumentError(
            f"polykeras.ops.pad got constant_values with mode {mode!r}. Leave it out, "
            "or use mode='constant'."
        )
    for axis, (before, after) in enumerate(pads):
        if before or after:
            n = int(x.shape[axis])
            if n == 0:
                raise ShapeError(
                    f"polykeras.ops.pad cannot extend the empty axis {axis} of shape "
                    f"{tuple(x.shape)} with mode {mode!r}."
                )
            source = np.arange(n, dtype=np.int32)
            places = np.pad(source, (before, after), mode=mode)  # type: ignore[call-overload]
            x = REGISTRY["take"](x, places, axis)
    return x


def _pad_pairs(x: Tensor, pad_width: Any) -> tuple[tuple[int, int], ...]:
    rank = len(x.shape)
    known = known_values(pad_width)
    try:
        pairs = np.broadcast_to(np.asarray(known), (rank, 2)).tolist()
        return tuple((operator.index(b), operator.index(a)) for b, a in pairs)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"polykeras.ops.pad expected a number, a pair (before, after) or a pair "
            f"for each of {rank} axes as pad_width, got {pad_width}."
        ) from None


def _pad_with(x: Tensor, pads: tuple[tuple[int, int], ...], value: Any) -> Tensor:
    if isinstance(value, int | float | complex):
        return pad_constant(x, pads, value)
    inside = REGISTRY["ones_like"](x, dtype="bool")
    value = REGISTRY["cast"](as_tensor(value), dtype_of(x))
    return REGISTRY["where"](
        pad_constant(inside, pads, False), pad_constant(x, pads, 0), value
    )
