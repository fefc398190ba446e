"""Cases of `polykeras.ops.conversion`."""

from __future__ import annotations

from typing import Any, Final

import ml_dtypes
import numpy as np

from polykeras.conformance._bounds import EXACT
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import call, given, real
from polykeras.conformance.cases._builders import moved
from polykeras.errors import DTypeError

__all__ = ["CASES"]

_ROWS: Final = (call(real(2, 3)), call(real()), call(real(0, 2)))


def _cast(x: Any, dtype: str) -> Any:
    return x.astype(getattr(ml_dtypes, dtype, None) or dtype)


def _saturate(x: Any, dtype: str) -> Any:
    limits = np.iinfo(dtype)
    return np.clip(x, limits.min, limits.max).astype(dtype)


def _signed(x: Any) -> Any:
    """Return integers as float32, exactly enough to tell bits apart."""
    from polykeras import ops

    return ops.cast(x, "float32")


CASES: Final = (
    OpCase(
        "cast",
        (call(real(2, 3), "float32"), call(real(), "float32")),
        _cast,
        EXACT,
        ("float64", "bfloat16", "int32", "uint8", "bool"),
        "float32",
        errors=(
            ErrorSample(call(real(2), "float33"), DTypeError, ("float33", "float32")),
        ),
    ),
    OpCase(
        "saturate_cast",
        (
            call(given([-300.0, -1.5, 2.7, 300.0]), "int8"),
            call(given([-300.0, 4.5, 255.0, 1e9]), "int8").noted("large"),
        ),
        _saturate,
        EXACT,
        ("float32", "float64"),
        "int8",
    ),
    OpCase(
        "view",
        (call(real(2, 3), "int32"), call(real(4), "uint8")),
        lambda x, dtype: x.astype(np.float32).view(dtype).astype(np.float32),
        EXACT,
        ("float32",),
        None,
        view=lambda result, *args: _signed(result),
    ),
    moved("stop_gradient", np.asarray, *_ROWS, gradient=0),
    moved("copy", np.copy, *_ROWS),
    moved("array", np.asarray, *_ROWS),
    moved("convert_to_tensor", np.asarray, *_ROWS),
)
