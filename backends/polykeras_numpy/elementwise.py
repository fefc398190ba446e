"""Kernels of the domain elementwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras_numpy.buffers import empty
from polykeras_numpy.quiet import quiet

if TYPE_CHECKING:
    from polykeras.backend import Array, Kernel

__all__ = ["KERNELS"]


def _counted(x: Array) -> Array:
    return x.astype(np.int32) if x.dtype == np.bool_ else x


@quiet
def _floor_divide(x1: Array, x2: Array) -> Any:
    return np.floor_divide(_counted(x1), _counted(x2))


@quiet
def _mod(x1: Array, x2: Array) -> Any:
    return np.remainder(_counted(x1), _counted(x2))


@quiet
def _fmod(x1: Array, x2: Array) -> Any:
    return np.fmod(_counted(x1), _counted(x2))


@quiet
def _power(x1: Array, x2: Array) -> Any:
    x1, x2 = _counted(x1), _counted(x2)
    if x2.dtype.kind != "i":
        return np.power(x1, x2)
    inverse = x2 < 0
    if not inverse.any():
        return np.power(x1, x2)
    result = np.power(x1, np.where(inverse, 0, x2))
    unit = np.where(np.abs(x1) == 1, np.where(x2 % 2 == 0, 1, x1), 0)
    return np.where(inverse, unit, result).astype(x1.dtype)


# Floats to integers of their width: a product with 0 or 1 keeps or clears all bits.
_BITS: Final = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}


def _where(condition: Array, x1: Any, x2: Any) -> Any:
    if x1 is None:
        return tuple(i.astype(np.int32) for i in np.nonzero(condition))
    # Choosing by a random mask mispredicts every second branch; gradients of
    # rectifiers are of this form.
    if x2.ndim == 0 and x1.shape == condition.shape and x1.flags.c_contiguous:
        bits = _BITS.get(x1.dtype)
        if bits is not None and not x2.view(bits):
            out = empty(x1.shape, x1.dtype)
            np.multiply(x1.view(bits), condition, out=out.view(bits))
            return out
    return np.where(condition, x1, x2)


def _left_shift(x: Array, y: Array) -> Any:
    _refuse_bool(x)
    return np.left_shift(x, y)


def _right_shift(x: Array, y: Array) -> Any:
    _refuse_bool(x)
    return np.right_shift(x, y)


def _refuse_bool(x: Array) -> None:
    if x.dtype == np.bool_:
        raise TypeError("booleans have no bits to shift")


@quiet
def _divide_no_nan(x1: Array, x2: Array) -> Any:
    if x1.ndim == x2.ndim == 0:
        return np.divide(x1, x2) if x2 else x1.dtype.type(0)
    out = np.zeros(np.broadcast_shapes(x1.shape, x2.shape), x1.dtype)
    return np.divide(x1, x2, out=out, where=np.not_equal(x2, 0))


@quiet
def _square(x: Array) -> Any:
    return np.square(_counted(x))


def _rsqrt(x: Array) -> Any:
    return 1 / np.sqrt(x)


_OWN: Final[dict[str, Kernel]] = {
    "arctan2": quiet(np.arctan2),
    "cbrt": np.cbrt,
    "ceil": np.ceil,
    "divide_no_nan": _divide_no_nan,
    "exp2": quiet(np.exp2),
    "floor_divide": _floor_divide,
    "fmod": _fmod,
    "gcd": np.gcd,
    "lcm": np.lcm,
    "ldexp": quiet(np.ldexp),
    "left_shift": _left_shift,
    "logaddexp": quiet(np.logaddexp),
    "logaddexp2": quiet(np.logaddexp2),
    "mod": _mod,
    "power": _power,
    "right_shift": _right_shift,
    "rsqrt": quiet(_rsqrt),
    "square": _square,
    "where": _where,
}
KERNELS: Final[dict[str, Kernel]] = _OWN | {
    name: quiet(getattr(np, name))
    for name in (
        "add",
        "arccos",
        "arccosh",
        "arcsin",
        "arctanh",
        "cos",
        "cosh",
        "divide",
        "exp",
        "expm1",
        # ml_dtypes reports NaN that is compared as invalid.
        "fmax",
        "fmin",
        "greater",
        "greater_equal",
        "hypot",
        "less",
        "less_equal",
        "log",
        "log10",
        "log1p",
        "log2",
        "maximum",
        "minimum",
        "multiply",
        "nextafter",
        "reciprocal",
        "sin",
        "sinh",
        "sqrt",
        "subtract",
        "tan",
    )
}
