"""Kernels of reductions and scans.

Small integers and int32 would widen to 64 bits in NumPy, and float16 would be
summed in float16; the tables say what happens instead.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import dtypes
from polykeras_numpy.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from polykeras.backend import Array, Kernel

__all__ = [
    "ACCUMULATORS",
    "KERNELS",
    "add_up",
    "fitting_sum",
    "reduces_plainly",
    "total",
]

Axes = tuple[int, ...]

# Positional arguments are the fast ones; the stubs want them as keywords.
_add_reduce: Final[Callable[..., Any]] = np.add.reduce
_multiply_reduce: Final[Callable[..., Any]] = np.multiply.reduce
_maximum_reduce: Final[Callable[..., Any]] = np.maximum.reduce
_minimum_reduce: Final[Callable[..., Any]] = np.minimum.reduce
_logical_or_reduce: Final[Callable[..., Any]] = np.logical_or.reduce
_logical_and_reduce: Final[Callable[..., Any]] = np.logical_and.reduce

# NumPy dtype to (dtype of the sum while it is formed, dtype of the result), for
# those where the default of ufunc.reduce would differ.
ACCUMULATORS: Final[dict[np.dtype[Any], tuple[np.dtype[Any], np.dtype[Any]]]] = {
    dtypes.as_numpy_dtype(name): (
        dtypes.as_numpy_dtype(dtypes.accumulation_dtype(name)),
        dtypes.as_numpy_dtype(dtypes.sum_dtype(name)),
    )
    for name in dtypes.ALL
    if name not in {"float32", "float64", "complex64", "complex128", "int64", "uint64"}
}
_NATIVE: Final = {name: dtypes.as_numpy_dtype(name) for name in dtypes.ALL}
_WIDE: Final = {
    name: dtypes.as_numpy_dtype(dtypes.accumulation_dtype(name)) for name in dtypes.ALL
}
# Rows from which they are added in groups, and numbers in a group.
_MANY: Final = 256
_GROUP: Final = 2048


def add_up(x: Array, axis: Axes, keepdims: bool) -> Array:
    """Return the sum over axes of numbers that need no wider accumulator.

    NumPy adds up leading axes row by row, which costs time where rows are short and
    digits where they are many. Here rows that lie together are added in long groups,
    and then those of a group.

    Args:
        x: The numbers.
        axis: The axes, ascending.
        keepdims: Whether axes of size one are left.
    """
    count = len(axis)
    rows, kept = math.prod(x.shape[:count]), x.shape[count:]
    few = rows < _MANY or not kept or not x.size
    if few or axis != _LEADING.get(count) or not x.flags.c_contiguous:
        return np.asarray(_add_reduce(x, axis, None, None, keepdims))
    width = x.size // rows
    together = min(math.isqrt(rows), max(_GROUP // width, 1))
    flat = x.reshape(rows, width)
    whole = rows - rows % together
    groups = _add_reduce(flat[:whole].reshape(-1, together * width), 0)
    out = np.asarray(_add_reduce(groups.reshape(together, width), 0))
    if whole < rows:
        out += _add_reduce(flat[whole:], 0)
    return out.reshape((1,) * count + kept if keepdims else kept)


_LEADING: Final = {n: tuple(range(n)) for n in range(1, 8)}


def total(x: Array, axis: Axes, keepdims: bool) -> Array:
    """Return the sum over axes."""
    special = ACCUMULATORS.get(x.dtype)
    if special is None:
        return add_up(x, axis, keepdims)
    wide, target = special
    out = _add_reduce(x, axis, wide, None, keepdims)
    return np.asarray(out, target)


def reduces_plainly(x: Any, axis: Axes) -> bool:
    """Return whether `add_up` does nothing but call NumPy.

    Args:
        x: Something with the shape and the name of the dtype.
        axis: The axes, ascending.
    """
    count = len(axis)
    leading = axis == _LEADING.get(count) and count < len(x.shape)
    groups = leading and math.prod(x.shape[:count]) >= _MANY
    return not groups and _NATIVE[x.dtype] not in ACCUMULATORS


def _plain(x: Array, axis: Axes, keepdims: bool) -> Array:
    return np.asarray(_add_reduce(x, axis, None, None, keepdims))


def fitting_sum(x: Any, axis: Axes, keepdims: bool) -> tuple[Kernel, tuple[Any, ...]]:
    """Return what `total` calls for an argument of this shape and dtype."""
    return (_plain if reduces_plainly(x, axis) else total), ()


@quiet
def _prod(x: Array, axis: Axes, keepdims: bool, dtype: str) -> Array:
    wide = _WIDE[dtype]
    out = _multiply_reduce(x.astype(wide, copy=False), axis, wide, None, keepdims)
    return np.asarray(out, _NATIVE[dtype])


@quiet
def _max(x: Array, axis: Axes, keepdims: bool, initial: Any) -> Array:
    if initial is None:
        return np.asarray(_maximum_reduce(x, axis, None, None, keepdims))
    out = _maximum_reduce(x, axis, None, None, keepdims, initial)
    return np.asarray(out, x.dtype)


@quiet
def _min(x: Array, axis: Axes, keepdims: bool, initial: Any) -> Array:
    if initial is None:
        return np.asarray(_minimum_reduce(x, axis, None, None, keepdims))
    out = _minimum_reduce(x, axis, None, None, keepdims, initial)
    return np.asarray(out, x.dtype)


def _argmax(x: Array, axis: int | None, keepdims: bool) -> Array:
    return np.asarray(np.argmax(x, axis, keepdims=keepdims), np.int32)


def _argmin(x: Array, axis: int | None, keepdims: bool) -> Array:
    return np.asarray(np.argmin(x, axis, keepdims=keepdims), np.int32)


def _any(x: Array, axis: Axes, keepdims: bool) -> Array:
    return np.asarray(_logical_or_reduce(x, axis, None, None, keepdims))


def _all(x: Array, axis: Axes, keepdims: bool) -> Array:
    return np.asarray(_logical_and_reduce(x, axis, None, None, keepdims))


@quiet
def _cumsum(x: Array, axis: int, dtype: str) -> Array:
    out = np.add.accumulate(x.astype(_WIDE[dtype], copy=False), axis, _WIDE[dtype])
    return out.astype(_NATIVE[dtype], copy=False)


@quiet
def _cumprod(x: Array, axis: int, dtype: str) -> Array:
    values = x.astype(_WIDE[dtype], copy=False)
    out = np.multiply.accumulate(values, axis, _WIDE[dtype])
    return out.astype(_NATIVE[dtype], copy=False)


KERNELS: Final[dict[str, Kernel]] = {
    "sum": quiet(total),
    "prod": _prod,
    "max": _max,
    "min": _min,
    "argmax": _argmax,
    "argmin": _argmin,
    "any": _any,
    "all": _all,
    "cumsum": _cumsum,
    "cumprod": _cumprod,
}
