"""Canonical dtype names and the one promotion table.

A dtype is its name (``"float32"``). The lattice below is data; nothing else in
polykeras decides which dtype a result has.

Reference: JAX documentation, "JAX type promotion semantics", figure of the
lattice; 64-bit floats are kept out of mixtures of float32 with integers.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import ml_dtypes
import numpy as np

from polykeras.errors import DTypeError, nearest

__all__ = [
    "ALL",
    "COMPLEX",
    "FLOATS",
    "INTEGERS",
    "SIGNED",
    "UNSIGNED",
    "accumulation_dtype",
    "as_numpy_dtype",
    "is_complex",
    "is_float",
    "is_inexact",
    "is_integer",
    "kind_rank",
    "result_type",
    "standardize_dtype",
    "sum_dtype",
    "to_inexact",
    "weak_dtype",
]

UNSIGNED: Final = ("uint8", "uint16", "uint32", "uint64")
SIGNED: Final = ("int8", "int16", "int32", "int64")
INTEGERS: Final = UNSIGNED + SIGNED
FLOATS: Final = (
    "float8_e4m3fn",
    "float8_e5m2",
    "bfloat16",
    "float16",
    "float32",
    "float64",
)
COMPLEX: Final = ("complex64", "complex128")
ALL: Final = ("bool", *INTEGERS, *FLOATS, *COMPLEX)

# Each dtype's direct parents in the lattice. "int*", "float*" and "complex*" are
# the weak types of Python scalars: they take part without forcing a width.
_PARENTS: Final[dict[str, tuple[str, ...]]] = {
    "bool": ("int*",),
    "int*": ("uint8", "int8"),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float*",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float*",),
    "float*": ("float8_e4m3fn", "float8_e5m2", "bfloat16", "float16", "complex*"),
    "float8_e4m3fn": ("bfloat16", "float16"),
    "float8_e5m2": ("bfloat16", "float16"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex*": ("complex64",),
    "complex64": ("complex128",),
    "complex128": (),
}
_WEAK: Final = {bool: "bool", int: "int*", float: "float*", complex: "complex*"}
_ALIASES: Final = {
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "int": "int32",
    "long": "int64",
    "uint": "uint32",
    "bool_": "bool",
    "str": "string",
}
_SUMS: Final = {
    "bool": "int32",
    "int8": "int32",
    "int16": "int32",
    "uint8": "uint32",
    "uint16": "uint32",
}
_NUMPY: Final[dict[str, np.dtype[Any]]] = {
    name: np.dtype(getattr(ml_dtypes, name, name)) for name in ALL
}


def _ancestors() -> dict[str, frozenset[str]]:
    above: dict[str, frozenset[str]] = {}

    def walk(name: str) -> frozenset[str]:
        if name not in above:
            above[name] = frozenset({name}).union(*map(walk, _PARENTS[name]))
        return above[name]

    for name in _PARENTS:
        walk(name)
    return above


_ABOVE: Final = _ancestors()


@cache
def _join(names: tuple[str, ...]) -> str:
    common = frozenset.intersection(*(_ABOVE[name] for name in names))
    for candidate in common:
        if common <= _ABOVE[candidate]:
            return candidate
    raise DTypeError(f"The dtypes {names} have no common dtype. Cast one of them.")


def _strengthen(name: str, floatx: str) -> str:
    if name == "int*":
        return "int32"
    if name == "float*":
        return floatx
    if name == "complex*":
        return "complex128" if floatx == "float64" else "complex64"
    return name


@cache
def _name_of(dtype: np.dtype[Any]) -> str:
    # NumPy puts the name together at each call.
    return dtype.name


def standardize_dtype(dtype: object) -> str:
    """Return the canonical name of a dtype however it is spelled.

    Args:
        dtype: A name, a NumPy dtype or scalar type, a Python type, or the dtype
            object of any backend.

    Returns:
        A name such as ``"float32"``.

    Raises:
        DTypeError: If no dtype of that name exists.

    >>> standardize_dtype(np.float32), standardize_dtype(int)
    ('float32', 'int32')
    """
    if isinstance(dtype, str):
        name = dtype
    elif isinstance(dtype, type) and dtype in (bool, int, float, complex, str):
        name = "complex64" if dtype is complex else dtype.__name__
    elif isinstance(dtype, np.dtype):
        name = _name_of(dtype)
    else:
        # A backend's dtype object prints as "library.float32"; a scalar type
        # such as numpy.float32 carries the name itself.
        name = getattr(dtype, "__name__", None) or str(dtype).rpartition(".")[2]
    name = _ALIASES.get(name, name)
    if name in _NUMPY or name == "string":
        return name
    raise DTypeError(f"Unknown dtype {dtype!r}. {nearest(name, ALL)}")


def as_numpy_dtype(name: str) -> np.dtype[Any]:
    """Return the NumPy dtype of a canonical name, bfloat16 and float8 included."""
    return _NUMPY[name]


def weak_dtype(value: object) -> str | None:
    """Return the weak dtype of a Python scalar, or None for anything else."""
    return _WEAK.get(type(value))


def result_type(*names: str, floatx: str = "float32") -> str:
    """Return the dtype of a result whose inputs have the given dtypes.

    Args:
        names: Canonical names, or the weak ``"int*"``, ``"float*"``, ``"complex*"``.
        floatx: What a lone Python float becomes.

    Returns:
        A canonical name.

    >>> result_type("float16", "int64"), result_type("uint8", "int8")
    ('float16', 'int16')
    >>> result_type("int32", "float*")
    'float32'
    """
    joined = _join(tuple(names))
    return _strengthen(joined, floatx)


def to_inexact(name: str, floatx: str = "float32") -> str:
    """Return the dtype in which a float-valued function of `name` is computed."""
    if name == "bool" or is_integer(name) or name == "int*":
        return floatx
    return _strengthen(name, floatx)


def sum_dtype(name: str) -> str:
    """Return the dtype of sums and products of values of dtype `name`.

    >>> sum_dtype("bool"), sum_dtype("uint8"), sum_dtype("float16")
    ('int32', 'uint32', 'float16')
    """
    return _SUMS.get(name, name)


def accumulation_dtype(name: str) -> str:
    """Return the dtype in which a sum of many values is formed before rounding.

    >>> accumulation_dtype("bfloat16"), accumulation_dtype("float64")
    ('float32', 'float64')
    """
    if is_float(name) and name not in {"float32", "float64"}:
        return "float32"
    return sum_dtype(name)


def is_integer(name: str) -> bool:
    """Return whether `name` is a signed or unsigned integer dtype."""
    return name in INTEGERS


def is_float(name: str) -> bool:
    """Return whether `name` is a real floating-point dtype."""
    return name in FLOATS


def is_complex(name: str) -> bool:
    """Return whether `name` is a complex dtype."""
    return name in COMPLEX


def is_inexact(name: str) -> bool:
    """Return whether `name` is a floating-point or complex dtype."""
    return name in FLOATS or name in COMPLEX


def kind_rank(name: str) -> int:
    """Return 0 for bool, 1 for integers, 2 for floats, 3 for complex."""
    if name == "bool":
        return 0
    if is_integer(name):
        return 1
    return 2 if is_float(name) else 3
