"""The promotion table under the name and with the inputs of Keras."""

from __future__ import annotations

from typing import Any

from polykeras import config
from polykeras import dtypes as table

__all__ = ["is_float_dtype", "is_int_dtype", "result_type"]

_WEAK = {bool: "bool", int: "int*", float: "float*", complex: "complex*"}


def result_type(*dtypes: Any) -> str:
    """Return the dtype of a result whose inputs have the given dtypes.

    Args:
        dtypes: Dtypes however spelled; Python's own types count as weak, and None
            as floatx.

    Returns:
        A canonical name.

    >>> result_type("int32", float), result_type("bfloat16", "float16")
    ('float32', 'float32')
    """
    floatx = config.floatx()
    names = [
        floatx
        if dtype is None
        else _WEAK[dtype]
        if isinstance(dtype, type) and dtype in _WEAK
        else table.standardize_dtype(dtype)
        for dtype in dtypes
    ]
    return table.result_type(*(names or [floatx]), floatx=floatx)


def is_float_dtype(dtype: Any) -> bool:
    """Return whether a dtype, however spelled, holds floats.

    >>> is_float_dtype("bfloat16"), is_float_dtype(int)
    (True, False)
    """
    return table.is_float(table.standardize_dtype(dtype))


def is_int_dtype(dtype: Any) -> bool:
    """Return whether a dtype, however spelled, holds signed or unsigned integers.

    >>> is_int_dtype("uint8"), is_int_dtype(bool)
    (True, False)
    """
    return table.is_integer(table.standardize_dtype(dtype))
