"""Kernels of the domain elementwise, out of the array API standard."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from polykeras import dtypes
from polykeras.backend.array_api._error_function import error_functions

if TYPE_CHECKING:
    from polykeras.backend._kernels import Kernel
    from polykeras.backend.array_api._backend import ArrayAPIBackend

__all__ = ["kernels"]

# Ops that are the standard's function of another name.
_RENAMED: Final = {
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "bitwise_not": "bitwise_invert",
}
_SAME: Final = (
    "abs",
    "add",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "ceil",
    "conj",
    "cos",
    "cosh",
    "divide",
    "equal",
    "exp",
    "expm1",
    "floor",
    "greater",
    "greater_equal",
    "hypot",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "log",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "nextafter",
    "not_equal",
    "reciprocal",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "trunc",
)


def kernels(backend: ArrayAPIBackend) -> dict[str, Kernel]:
    """Return op name to kernel for the namespace ``backend.xp``."""
    xp = backend.xp
    table: dict[str, Kernel] = {
        name: getattr(xp, name) for name in _SAME if hasattr(xp, name)
    }
    for name, standard in _RENAMED.items():
        if hasattr(xp, standard):
            table[name] = getattr(xp, standard)
    for function in (
        *_integer_aware(backend),
        *_complex_parts(backend),
        *_choosing(backend),
        *_shifts(backend),
    ):
        table[function.__name__] = function
    table.update(_lenient(backend, table))
    for name, wide in zip(("erf", "erfc", "erfinv"), error_functions(xp), strict=True):
        table[name] = _widened(backend, wide)
    return table


def _widened(
    backend: ArrayAPIBackend, fn: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """Run a function for float32 and float64 on smaller floats too."""
    wide = (backend.native_dtype("float32"), backend.native_dtype("float64"))

    def kernel(x: Any) -> Any:
        if x.dtype in wide:
            return fn(x)
        return backend.xp.astype(fn(backend.xp.astype(x, wide[0])), x.dtype)

    return kernel


def _integer_aware(backend: ArrayAPIBackend) -> list[Kernel]:
    """Return the kernels whose integer edge cases polykeras specifies."""
    xp = backend.xp

    def whole(x: Any) -> bool:
        return dtypes.is_integer(backend.dtype_name(x))

    def counted(x: Any) -> Any:
        if backend.dtype_name(x) == "bool":
            return xp.astype(x, backend.native_dtype("int32"))
        return x

    def floor_divide(x1: Any, x2: Any) -> Any:
        x1, x2 = counted(x1), counted(x2)
        if not whole(x1):
            return xp.floor_divide(x1, x2)
        zero = x2 == 0
        quotient = xp.floor_divide(x1, xp.where(zero, xp.ones_like(x2), x2))
        return xp.where(zero, xp.zeros_like(quotient), quotient)

    def mod(x1: Any, x2: Any) -> Any:
        x1, x2 = counted(x1), counted(x2)
        if not whole(x1):
            return xp.remainder(x1, x2)
        zero = x2 == 0
        rest = xp.remainder(x1, xp.where(zero, xp.ones_like(x2), x2))
        return xp.where(zero, xp.zeros_like(rest), rest)

    def power(x1: Any, x2: Any) -> Any:
        x1, x2 = counted(x1), counted(x2)
        if not whole(x1) or backend.dtype_name(x2) in dtypes.UNSIGNED:
            return xp.pow(x1, x2)
        inverse = x2 < 0
        result = xp.pow(x1, xp.where(inverse, xp.zeros_like(x2), x2))
        one = xp.ones_like(x1)
        unit = xp.where(x2 % 2 == 0, one, x1)
        unit = xp.where((x1 == 1) | (x1 == -1), unit, xp.zeros_like(x1))
        return xp.where(inverse, unit, result)

    def round(x: Any, decimals: int) -> Any:
        if whole(x):
            if decimals >= 0:
                return x
            wide = xp.astype(x, backend.native_dtype("float64"))
            return xp.astype(_rounded(xp, wide, decimals), x.dtype)
        return _rounded(xp, x, decimals)

    return [floor_divide, mod, power, round]


def _rounded(xp: Any, x: Any, decimals: int) -> Any:
    if decimals == 0:
        return xp.round(x)
    scale = 10.0 ** math.fabs(decimals)
    if decimals > 0:
        return xp.round(x * scale) / scale
    return xp.round(x / scale) * scale


def _shifts(backend: ArrayAPIBackend) -> list[Kernel]:
    """Return shifts by any number of bits; the standard wants 0 to the width."""
    xp = backend.xp

    def inside(x1: Any, x2: Any) -> tuple[Any, Any]:
        width = xp.iinfo(x1.dtype).bits
        fits = xp.logical_and(x2 >= 0, x2 < width)
        return fits, xp.where(fits, x2, xp.zeros_like(x2))

    def left_shift(x1: Any, x2: Any) -> Any:
        fits, count = inside(x1, x2)
        return xp.where(fits, xp.bitwise_left_shift(x1, count), xp.zeros_like(x1))

    def right_shift(x1: Any, x2: Any) -> Any:
        fits, count = inside(x1, x2)
        zero = xp.zeros_like(x1)
        signed = backend.dtype_name(x1) not in dtypes.UNSIGNED
        rest = xp.where(x1 < zero, zero - 1, zero) if signed else zero
        return xp.where(fits, xp.bitwise_right_shift(x1, count), rest)

    return [left_shift, right_shift]


def _lenient(backend: ArrayAPIBackend, table: dict[str, Kernel]) -> dict[str, Kernel]:
    """Return kernels for dtypes that the standard leaves to the library."""
    xp = backend.xp
    flag, number = xp.asarray([True]), xp.asarray([1], dtype=xp.int32)

    def count(x: Any) -> Any:
        x = xp.astype(x, xp.int32)
        return x * x

    substitutes: dict[str, tuple[Kernel, Any]] = {
        "abs": (lambda x: x, flag),
        "add": (xp.logical_or, flag),
        "greater": (lambda x1, x2: x1 & ~x2, flag),
        "greater_equal": (lambda x1, x2: x1 | ~x2, flag),
        "less": (lambda x1, x2: ~x1 & x2, flag),
        "less_equal": (lambda x1, x2: ~x1 | x2, flag),
        "maximum": (xp.logical_or, flag),
        "minimum": (xp.logical_and, flag),
        "multiply": (xp.logical_and, flag),
        "signbit": (lambda x: x < 0, number),
        "square": (count, flag),
    }
    found: dict[str, Kernel] = {}
    for name, (substitute, sample) in substitutes.items():
        if name not in table:
            continue
        arguments = 1 if name in ("abs", "signbit", "square") else 2
        try:
            table[name](*[sample] * arguments)
        except TypeError:
            integers = sample is number
            found[name] = _switched(backend, table[name], substitute, integers)
    return found


def _switched(
    backend: ArrayAPIBackend, kernel: Kernel, substitute: Kernel, integers: bool
) -> Kernel:
    def call(*args: Any) -> Any:
        name = backend.dtype_name(args[0])
        special = dtypes.is_integer(name) if integers else name == "bool"
        return (substitute if special else kernel)(*args)

    return call


def _complex_parts(backend: ArrayAPIBackend) -> list[Kernel]:
    xp = backend.xp

    def real(x: Any) -> Any:
        return xp.real(x) if dtypes.is_complex(backend.dtype_name(x)) else x

    def imag(x: Any) -> Any:
        if dtypes.is_complex(backend.dtype_name(x)):
            return xp.imag(x)
        return xp.zeros_like(x)

    def conj(x: Any) -> Any:
        return xp.conj(x) if dtypes.is_complex(backend.dtype_name(x)) else x

    def view_as_complex(x: Any) -> Any:
        name = "complex128" if backend.dtype_name(x) == "float64" else "complex64"
        native = backend.native_dtype(name)
        real_part, imag_part = x[..., 0], x[..., 1]
        return xp.astype(real_part, native) + xp.astype(imag_part, native) * 1j

    return [real, imag, conj, view_as_complex]


def _choosing(backend: ArrayAPIBackend) -> list[Kernel]:
    xp = backend.xp

    def where(condition: Any, x1: Any, x2: Any) -> Any:
        if x1 is not None:
            return xp.where(condition, x1, x2)
        index = backend.native_dtype("int32")
        return tuple(xp.astype(i, index) for i in xp.nonzero(condition))

    def clip(x: Any, x_min: Any, x_max: Any) -> Any:
        if x_min is not None:
            x = xp.maximum(x, x_min)
        return x if x_max is None else xp.minimum(x, x_max)

    return [where, clip]
