"""Kernels of means, variances and log-sum-exp."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import dtypes
from polykeras_numpy.quiet import quiet
from polykeras_numpy.reductions import ACCUMULATORS, add_up, reduces_plainly

if TYPE_CHECKING:
    from collections.abc import Callable

    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS", "fitting_mean", "mean"]

Axes = tuple[int, ...]

# Positional arguments are the fast ones; the stubs want them as keywords.
_add_reduce: Final[Callable[..., Any]] = np.add.reduce
_maximum_reduce: Final[Callable[..., Any]] = np.maximum.reduce


def _wide(x: Array) -> Array:
    special = ACCUMULATORS.get(x.dtype)
    return x if special is None else x.astype(special[0])


def _count(x: Array, axis: Axes) -> int:
    return math.prod([x.shape[a] for a in axis])


def mean(x: Array, axis: Axes, keepdims: bool) -> Array:
    """Return the mean over axes."""
    special = ACCUMULATORS.get(x.dtype)
    if special is None:
        total = add_up(x, axis, keepdims)
    else:
        total = _add_reduce(x, axis, special[0], None, keepdims)
    return np.asarray(np.true_divide(total, _count(x, axis)), x.dtype)


def fitting_mean(x: Any, axis: Axes, keepdims: bool) -> tuple[Kernel, tuple[Any, ...]]:
    """Return what `mean` calls for an argument of this shape and dtype."""
    if not reduces_plainly(x, axis):
        return mean, ()
    count = _count(x, axis)
    if count == 1:
        shape = tuple(n for i, n in enumerate(x.shape) if keepdims or i not in axis)
        zero = np.zeros((), dtypes.as_numpy_dtype(x.dtype))

        def moved(x: Array, axis: Axes, keepdims: bool) -> Array:
            # As a sum begins with 0, -0 becomes 0.
            return np.asarray(np.add(x, zero)).reshape(shape)

        return moved, ()

    def plain(x: Array, axis: Axes, keepdims: bool) -> Array:
        total = _add_reduce(x, axis, None, None, keepdims)
        return np.asarray(np.true_divide(total, count))

    return plain, ()


def _center_and_spread(x: Array, axis: Axes) -> tuple[Array, Array]:
    """Return mean and variance of a wide tensor, reduced axes kept."""
    n = _count(x, axis)
    center = np.true_divide(add_up(x, axis, True), n)
    away = np.subtract(x, center)
    if away.dtype.kind == "c":
        away = np.abs(away)
    np.multiply(away, away, out=away)
    return center, np.true_divide(add_up(away, axis, True), n)


@quiet
def _var(x: Array, axis: Axes, keepdims: bool) -> Array:
    _, spread = _center_and_spread(_wide(x), axis)
    out = spread if keepdims or not axis else np.squeeze(spread, axis)
    return np.asarray(out, x.real.dtype if x.dtype.kind == "c" else x.dtype)


def _std(x: Array, axis: Axes, keepdims: bool) -> Array:
    out = np.sqrt(_var(_wide(x), axis, keepdims))
    return np.asarray(out, out.dtype if x.dtype.kind == "c" else x.dtype)


@quiet
def _moments(
    x: Array, axes: Axes, keepdims: bool, synchronized: bool
) -> tuple[Array, Array]:
    center, spread = _center_and_spread(_wide(x), axes)
    if not keepdims and axes:
        center, spread = np.squeeze(center, axes), np.squeeze(spread, axes)
    real = spread.dtype if x.dtype.kind == "c" else x.dtype
    return np.asarray(center, x.dtype), np.asarray(spread, real)


@quiet
def _logsumexp(x: Array, axis: Axes, keepdims: bool) -> Array:
    wide = _wide(x)
    peak = _maximum_reduce(wide, axis, None, None, True, -np.inf)
    # An infinite shift would turn -inf - (-inf) into NaN.
    shift = np.where(np.isfinite(peak), peak, np.zeros_like(peak))
    powers = np.exp(np.subtract(wide, shift))
    out = np.log(_add_reduce(powers, axis, None, None, True)) + shift
    if not keepdims and axis:
        out = np.squeeze(out, axis)
    return np.asarray(out, x.dtype)


KERNELS: Final[dict[str, Kernel]] = {
    "mean": quiet(mean),
    "var": _var,
    "std": _std,
    "moments": _moments,
    "logsumexp": _logsumexp,
}
