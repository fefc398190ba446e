"""Evenly spaced values, and the windows of signal processing."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from polykeras import config, dtypes
from polykeras.backend import Array, Tensor
from polykeras.errors import ArgumentError
from polykeras.ops._declare import op
from polykeras.ops._registry import REGISTRY
from polykeras.ops._rules import promoted
from polykeras.ops.arithmetic import add, divide, multiply, subtract
from polykeras.ops.comparison import equal, where
from polykeras.ops.conversion import cast, convert_to_tensor, dtype
from polykeras.ops.creation import arange
from polykeras.ops.exponential import exp, log, power
from polykeras.ops.rounding import abs, floor, sign

__all__ = [
    "bartlett",
    "blackman",
    "geomspace",
    "hamming",
    "hanning",
    "kaiser",
    "linspace",
    "logspace",
]

_dtype_of = dtype


@op(tree="start stop")
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return numbers at equal distances between two ends.

    Args:
        start: The first value; a number or tensor.
        stop: The last value; shapes broadcast.
        num: How many values.
        endpoint: Whether `stop` is the last value, or what would follow it.
        retstep: Whether to return the distance too.
        dtype: The dtype wanted; None means the promoted one, integers as floatx.
        axis: Where the new axis of size `num` stands in the result.

    Returns:
        A tensor with one axis more than `start` and `stop`; with `retstep`, a pair
        of it and the distance.

    Raises:
        ArgumentError: If `num` is negative.

    >>> import polykeras as keras
    >>> keras.ops.linspace(0, 1, 5).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    num = operator.index(num)
    if num < 0:
        raise ArgumentError(
            f"polykeras.ops.linspace expected num of at least 0, got {num}."
        )
    if isinstance(start, int | float) and isinstance(stop, int | float):
        name = dtypes.standardize_dtype(dtype or config.floatx())
        # On the host, in double precision: the same values on every backend.
        values, step = np.linspace(start, stop, num, endpoint, retstep=True)
        if dtypes.is_integer(name):
            values = np.floor(values)
        result, gap = convert_to_tensor(values, name), convert_to_tensor(step, name)
    else:
        result, gap = _linspace(start, stop, num, endpoint)
        if dtype is not None:
            name = dtypes.standardize_dtype(dtype)
            result = cast(floor(result) if dtypes.is_integer(name) else result, name)
        if axis:
            result = REGISTRY["moveaxis"](result, 0, axis)
    return (result, gap) if retstep else result


def _linspace(start: Any, stop: Any, num: int, endpoint: bool) -> tuple[Tensor, Tensor]:
    start, stop = promoted(start, stop, inexact=True)
    name = _dtype_of(start)
    parts = num - 1 if endpoint else num
    span = subtract(stop, start)
    step = divide(span, parts) if parts > 0 else multiply(span, float("nan"))
    ramp = REGISTRY["reshape"](arange(num, dtype=name), (num, *[1] * len(span.shape)))
    result = add(start, multiply(ramp, step) if parts > 0 else multiply(ramp, span))
    if endpoint and num > 1:
        # Rounding must not move the end.
        result = where(equal(ramp, num - 1), stop, result)
    return result, step


@op(tree="start stop")
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """Return numbers at equal ratios, from ``base**start`` to ``base**stop``.

    Args:
        start: The first exponent; a number or tensor.
        stop: The last exponent; shapes broadcast.
        num: How many values.
        endpoint: Whether ``base**stop`` is the last value, or what would follow it.
        base: The base of the powers.
        dtype: The dtype wanted; None means the promoted one, integers as floatx.
        axis: Where the new axis of size `num` stands in the result.

    Returns:
        A tensor with one axis more than `start` and `stop`.

    >>> import polykeras as keras
    >>> keras.ops.logspace(0, 2, 3).tolist()
    [1.0, 10.0, 100.0]
    """
    if isinstance(start, int | float) and isinstance(stop, int | float):
        name = dtypes.standardize_dtype(dtype or config.floatx())
        values = np.logspace(start, stop, operator.index(num), endpoint, base)
        return convert_to_tensor(values, name)
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    result = power(base, exponents)
    return result if dtype is None else cast(result, dtype)


@op(tree="start stop")
def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """Return numbers at equal ratios between two ends of one sign.

    Args:
        start: The first value; a number or tensor, not 0.
        stop: The last value; shapes broadcast.
        num: How many values.
        endpoint: Whether `stop` is the last value, or what would follow it.
        dtype: The dtype wanted; None means the promoted one, integers as floatx.
        axis: Where the new axis of size `num` stands in the result.

    Returns:
        A tensor with one axis more than `start` and `stop`.

    >>> import polykeras as keras
    >>> keras.ops.geomspace(1, 8, 4).tolist()
    [1.0, 2.0, 4.0, 8.0]
    """
    if isinstance(start, int | float) and isinstance(stop, int | float):
        name = dtypes.standardize_dtype(dtype or config.floatx())
        values = np.geomspace(start, stop, operator.index(num), endpoint)
        return convert_to_tensor(values, name)
    start, stop = promoted(start, stop, inexact=True)
    direction = sign(start)
    logs = linspace(log(abs(start)), log(abs(stop)), num, endpoint)
    result = multiply(exp(logs), direction)
    if axis:
        result = REGISTRY["moveaxis"](result, 0, axis)
    return result if dtype is None else cast(result, dtype)


# -- windows: their size decides a shape, so they are computed on the host -------------


@op(differentiable=False)
def bartlett(x: Any) -> Tensor:
    """Return the Bartlett (triangular) window.

    Args:
        x: The number of points, known now.

    Returns:
        A floatx tensor ``(x,)``.
    """
    return _window(np.bartlett(_points("bartlett", x)))


@op(differentiable=False)
def blackman(x: Any) -> Tensor:
    """Return the Blackman window.

    Args:
        x: The number of points, known now.

    Returns:
        A floatx tensor ``(x,)``.
    """
    return _window(np.blackman(_points("blackman", x)))


@op(differentiable=False)
def hamming(x: Any) -> Tensor:
    """Return the Hamming window.

    Args:
        x: The number of points, known now.

    Returns:
        A floatx tensor ``(x,)``.
    """
    return _window(np.hamming(_points("hamming", x)))


@op(differentiable=False)
def hanning(x: Any) -> Tensor:
    """Return the symmetric Hann window.

    Args:
        x: The number of points, known now.

    Returns:
        A floatx tensor ``(x,)``.

    >>> import polykeras as keras
    >>> keras.ops.hanning(3).tolist()
    [0.0, 1.0, 0.0]
    """
    return _window(np.hanning(_points("hanning", x)))


@op(differentiable=False)
def kaiser(x: Any, beta: Any) -> Tensor:
    """Return the Kaiser window.

    Args:
        x: The number of points, known now.
        beta: The shape of the window; larger is narrower.

    Returns:
        A floatx tensor ``(x,)``.
    """
    return _window(np.kaiser(_points("kaiser", x), float(beta)))


def _points(op: str, x: Any) -> int:
    points = int(x)
    if points < 0:
        raise ArgumentError(
            f"polykeras.ops.{op} expected a number of points of at least 0, got {x}."
        )
    return points


def _window(values: Array) -> Tensor:
    return convert_to_tensor(values, config.floatx())
