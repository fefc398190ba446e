"""Slopes of numbers whose squares, differences or products are no numbers any more.

Derivatives can be written in ways that agree on paper. What counts is one whose parts
are numbers wherever the slope is: not ``x / y**2`` of a quotient, whose square is 0 for
`y` below 1e-23 in float32, but ``x / y / y``.
"""

from __future__ import annotations

import math
from typing import Final

from polykeras.conformance.edge_cases import EdgeCase

__all__ = ["FAR", "FAR_CASES", "HOMOGENEOUS"]

FAR: Final = 2.0**80
"""Numbers of this size, and of one over it, have no squares in float32."""
HOMOGENEOUS: Final = {"arctan2": 0, "divide": 0, "divide_no_nan": 0, "hypot": 1}
"""Ops of two arguments to their degree k: arguments s times as large have a result that
is s**k times as large, and slopes that are s**(k-1) times as large."""
_INF: Final = math.inf
_LARGE: Final = [1e10, -1e10, 3e38, -3e38, _INF, -_INF]
_HALVES: Final = [0.5] * len(_LARGE)
_NEAR: Final = 2.0**-10

FAR_CASES: Final = (
    *(
        EdgeCase(
            op, "float32", (_LARGE, _LARGE), _LARGE, "equal terms", (_HALVES, _HALVES)
        )
        for op in ("logaddexp", "logaddexp2")
    ),
    *(
        EdgeCase(
            op,
            "float32",
            ([_INF, 0.5, 3e38, -_INF], [0.5, _INF, -3e38, 0.5]),
            [_INF, _INF, 3e38, 0.5],
            "one term alone",
            ([1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]),
        )
        for op in ("logaddexp", "logaddexp2")
    ),
    EdgeCase(
        "power",
        "float32",
        ([0.0, 2.0], [0.0, 0.0]),
        [1.0, 1.0],
        "a power of 0 does not depend on its base",
        ([0.0, 0.0], [0.0, math.log(2.0)]),
    ),
    EdgeCase(
        "cbrt", "float32", ([0.0, -8.0],), [0.0, -2.0], "steep at 0", ([_INF, 1 / 12],)
    ),
    EdgeCase("arctan2", "float32", ([0.0], [0.0]), [0.0], "origin", ([0.0], [0.0])),
    EdgeCase(
        "sparse_plus", "float32", ([3e38, -3e38],), [3e38, 0.0], "no square", ([1, 0],)
    ),
    EdgeCase("i0", "float32", ([0.0],), [1.0], "level at 0", ([0.0],)),
    EdgeCase(
        "sinc",
        "float32",
        ([_NEAR, -_NEAR, 0.0],),
        [1 - (math.pi * _NEAR) ** 2 / 6, 1 - (math.pi * _NEAR) ** 2 / 6, 1.0],
        "terms that cancel near 0",
        # The next term of the series is 1e-6 of the first.
        ([-(math.pi**2) / 3 * _NEAR, math.pi**2 / 3 * _NEAR, 0.0],),
    ),
)
