"""Cases of `polykeras.ops.padding`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.backend import Array
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import call, real
from polykeras.conformance.cases.shaping import MOVED, moving
from polykeras.errors import ArgumentError

__all__ = ["CASES"]

_PAIRS: Final = ((1, 2), (0, 1))
_WIDE: Final = ((1, 2), (3, 7))


def _constant(x: Array, widths: Any, value: Any = 0) -> Array:
    return np.pad(x, widths, constant_values=value)


def _padded(
    x: Array, widths: Any, mode: str = "constant", constant_values: Any = None
) -> Array:
    if constant_values is None:
        return np.pad(x, widths, mode)  # type: ignore[call-overload, no-any-return]
    return np.pad(x, widths, constant_values=constant_values)


CASES: Final[tuple[OpCase, ...]] = (
    moving(
        "pad_constant",
        _constant,
        call(real(2, 3), _PAIRS),
        call(real(2, 3), _PAIRS, 1),
        call(real(0, 2), _PAIRS, 1),
        call(real(2, 3), ((0, 0), (0, 0))),
    ),
    moving(
        "pad",
        _padded,
        call(real(2, 3), _PAIRS),
        call(real(2, 3), 1, constant_values=3),
        call(real(2, 3), _WIDE, "edge"),
        call(real(2, 3), _WIDE, "reflect"),
        call(real(2, 3), _WIDE, "symmetric"),
        call(real(2, 3), _WIDE, "wrap"),
        dtypes=tuple(d for d in MOVED if d != "bool"),
        errors=(
            ErrorSample(
                call(real(3, 4), 1, mode="mirror"), ArgumentError, ("unknown mode",)
            ),
            ErrorSample(call(real(3, 4), ((1, 1),) * 3), ArgumentError, ("2 axes",)),
            ErrorSample(call(real(3, 4), -1), ArgumentError, (">= 0",)),
            ErrorSample(
                call(real(3, 4), 1, "edge", 0), ArgumentError, ("constant_values",)
            ),
        ),
    ),
)
