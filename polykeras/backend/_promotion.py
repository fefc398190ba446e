"""The promotion table under the name and with the inputs of Keras."""

from __future__ import annotations

from typing import Any

from polykeras import config, dtypes

__all__ = ["result_type"]

_WEAK = {bool: "bool", int: "int*", float: "float*", complex: "complex*"}


def result_type(*given: Any) -> str:
    """Return the dtype of a result whose inputs have the given dtypes.

    Args:
        given: Dtypes however spelled; Python's own types count as weak, and None
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
        else dtypes.standardize_dtype(dtype)
        for dtype in given
    ]
    return dtypes.result_type(*(names or [floatx]), floatx=floatx)
