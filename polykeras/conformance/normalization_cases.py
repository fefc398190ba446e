"""What normalizations give where powers of what they divide by over- or underflow."""

from __future__ import annotations

import math
from typing import Final

from polykeras.conformance.edge_cases import EdgeCase

__all__ = ["NORMALIZATIONS"]

_INF: Final = math.inf
_BIG: Final = 2.0**66
"""A float32 whose square is none; sums of a few of it are exact."""
_ROW: Final = [4.0, 4.0, 2.0, 2.0]
_BIG_ROW: Final = [_BIG * x for x in _ROW]
_NORMAL: Final = [1.0, 1.0, -1.0, -1.0]
_WEIGHTS: Final = [1.0, 2.0, 3.0, 4.0]
_WEIGHTED: Final = [1.0, 2.0, -3.0, -4.0]
_NOTHING: Final = [0.0] * 4
_COLUMNS: Final = [[_BIG * x, x] for x in _ROW]
NORMALIZATIONS: Final = (
    *(
        EdgeCase(
            "layer_normalization",
            dtype,
            ([_BIG_ROW, _ROW], _WEIGHTS, [5.0] * 4, -1, 0.0),
            [[5.0] * 4, [5 + x for x in _WEIGHTED]],
            "one over the root of a variance that overflows is 0",
            ([_NOTHING, [-0.5, 0.5, -0.5, 0.5]], _NORMAL, [2.0] * 4),
        )
        for dtype in ("float32", "bfloat16")
    ),
    EdgeCase(
        "layer_normalization",
        "float32",
        ([[_BIG] * 4], _WEIGHTS, [5.0] * 4, -1, 0.25),
        [[5.0] * 4],
        "large numbers that are equal have the variance 0",
        ([[-3.0, -1.0, 1.0, 3.0]], _NOTHING, [1.0] * 4),
    ),
    EdgeCase(
        "layer_normalization",
        "float16",
        ([[1024 * x for x in _ROW]], None, None, -1, 0.0),
        [_NORMAL],
        "float16 is computed in float32",
        ([_NOTHING],),
    ),
    EdgeCase(
        "rms_normalization",
        "float32",
        ([[_BIG * x for x in _NORMAL], _NORMAL], _WEIGHTS, -1, 0.0),
        [_NOTHING, _WEIGHTED],
        "one over the root of a mean square that overflows is 0",
        ([_NOTHING, [2.0, 3.0, 2.0, 3.0]], _NORMAL),
    ),
    EdgeCase(
        "batch_normalization",
        "float32",
        (_COLUMNS, [3 * _BIG, 3.0], [_INF, 1.0], -1, [5.0, 6.0], [2.0, 3.0], 0.0),
        [[5.0, 6 + 3 * x] for x in _NORMAL],
        "one over the root of infinity is 0",
        ([[0.0, 3.0]] * 4, [0.0, -12.0], [0.0, 0.0], [4.0, 4.0], [0.0, 0.0]),
    ),
    EdgeCase(
        "batch_normalization_training",
        "float32",
        (_COLUMNS, -1, [5.0, 6.0], [2.0, 3.0], 0.0),
        ([[5.0, 6 + 3 * x] for x in _NORMAL], [3 * _BIG, 3.0], [_INF, 1.0]),
        "one over the root of a variance that overflows is 0",
        ([[0.0, 0.0]] * 4, [4.0, 4.0], [0.0, 0.0]),
    ),
    EdgeCase(
        "batch_normalization_training",
        "float16",
        ([[1024 * x] for x in _ROW], -1, [5.0], [2.0], 0.0),
        ([[7.0], [7.0], [3.0], [3.0]], [3072.0], [_INF]),
        "float16 is computed in float32",
        ([[0.0]] * 4, [4.0], [0.0]),
    ),
    EdgeCase(
        "moments",
        "float32",
        (_COLUMNS, [0]),
        ([3 * _BIG, 3.0], [_INF, 1.0]),
        "a variance beyond the largest number is infinite",
        ([[0.25, 0.25]] * 4,),
    ),
    EdgeCase(
        "var",
        "float32",
        (_BIG_ROW,),
        _INF,
        "a variance beyond the largest number is infinite",
        ([_BIG / 2, _BIG / 2, -_BIG / 2, -_BIG / 2],),
    ),
)
