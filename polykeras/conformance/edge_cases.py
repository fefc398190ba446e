"""What ops give where array libraries disagree: one answer for every backend.

Each row is an op, its arguments, and the result that every backend must give; the
tests run them all. Numbers stand for tensors of the dtype named. NaN equals NaN
here, and a zero of either sign is zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["EDGE_CASES", "EDGE_ERRORS", "EDGE_SLOPES", "EdgeCase", "EdgeError"]


@dataclass(frozen=True)
class EdgeCase:
    """One specified result.

    Args:
        op: The name in `polykeras.ops`.
        dtype: The dtype of the arguments.
        args: The arguments, as numbers or nested lists of them.
        result: The expected values; a tuple of them for an op with several results.
        why: The rule of which this is a case.
        slopes: The gradients of the sum of the first result with respect to the
            tensors among the arguments, or None.
    """

    op: str
    dtype: str
    args: tuple[Any, ...]
    result: Any
    why: str
    slopes: tuple[Any, ...] | None = None

    @property
    def id(self) -> str:
        """A name for test reports."""
        return f"{self.op}/{self.dtype}/{self.why}"


@dataclass(frozen=True)
class EdgeError:
    """One specified error, raised wherever the values are known.

    Args:
        op: The name in `polykeras.ops`.
        dtype: The dtype of the arguments.
        args: As in `EdgeCase`.
        error: The class in `polykeras.errors`.
        words: What the message names; the whole is the same on every backend.
        compiled: What a compiled function gives, where values are unknown; None if
            the error is raised there too.
    """

    op: str
    dtype: str
    args: tuple[Any, ...]
    error: str
    words: tuple[str, ...]
    compiled: Any = None

    @property
    def id(self) -> str:
        """A name for test reports."""
        return f"{self.op}/{self.error}"


_INF: Final = math.inf
_NAN: Final = math.nan

_ELEMENTWISE: Final = (
    # The true value without its fraction; 1/0 has none, and gives 0 as division does.
    EdgeCase(
        "power",
        "int32",
        ([2, 3, 1, -1, -1, 0], [-1, -2, -3, -1, -2, -1]),
        [0, 0, 1, -1, 1, 0],
        "an integer to a negative power is truncated",
    ),
    EdgeCase(
        "power", "int32", ([0, 5, -5], [0, 0, 0]), [1, 1, 1], "x to the power of 0 is 1"
    ),
    EdgeCase(
        "power", "float32", ([0.0, _NAN], [0.0, 0.0]), [1.0, 1.0], "so for floats"
    ),
    EdgeCase("power", "float32", ([-8.0], [1 / 3]), [_NAN], "no real root"),
    EdgeCase(
        "floor_divide",
        "int32",
        ([1, -1, 0, 7], [0, 0, 0, -2]),
        [0, 0, 0, -4],
        "an integer divided by 0 is 0",
    ),
    EdgeCase(
        "mod",
        "int32",
        ([1, -1, 0, 7, -7], [0, 0, 0, -2, 2]),
        [0, 0, 0, -1, 1],
        "the remainder by 0 is 0",
    ),
    EdgeCase(
        "fmod",
        "int32",
        ([1, -1, 7, -7], [0, 0, -2, 2]),
        [0, 0, 1, -1],
        "the remainder by 0 is 0",
    ),
    EdgeCase(
        "floor_divide",
        "float32",
        ([1.0, -1.0, 0.0, 1.0], [0.0, 0.0, 0.0, _INF]),
        [_INF, -_INF, _NAN, 0.0],
        "floats divide as IEEE 754 says",
    ),
    EdgeCase(
        "mod",
        "float32",
        ([1.0, 0.0, 1.0, -1.0], [0.0, 0.0, _INF, 3.0]),
        [_NAN, _NAN, 1.0, 2.0],
        "the remainder has the sign of the divisor",
    ),
    EdgeCase(
        "fmod",
        "float32",
        ([1.0, -1.0, 1.0], [0.0, 3.0, _INF]),
        [_NAN, -1.0, 1.0],
        "the remainder has the sign of the dividend",
    ),
    EdgeCase(
        "divide",
        "float32",
        ([1.0, -1.0, 0.0], [0.0, 0.0, 0.0]),
        [_INF, -_INF, _NAN],
        "floats divide as IEEE 754 says",
    ),
    EdgeCase(
        "divide", "int32", ([1, 0], [0, 0]), [_INF, _NAN], "integers become floats"
    ),
    EdgeCase(
        "maximum",
        "float32",
        ([_NAN, 1.0, _INF], [1.0, _NAN, 2.0]),
        [_NAN, _NAN, _INF],
        "NaN propagates",
    ),
    EdgeCase(
        "minimum",
        "float32",
        ([_NAN, 1.0, _INF], [1.0, _NAN, 2.0]),
        [_NAN, _NAN, 2.0],
        "NaN propagates",
    ),
    EdgeCase(
        "fmax",
        "float32",
        ([_NAN, 1.0, _NAN], [1.0, _NAN, _NAN]),
        [1.0, 1.0, _NAN],
        "NaN loses",
    ),
    EdgeCase(
        "fmin",
        "float32",
        ([_NAN, 1.0, _NAN], [1.0, _NAN, _NAN]),
        [1.0, 1.0, _NAN],
        "NaN loses",
    ),
    *(
        EdgeCase(
            op,
            "float32",
            ([_NAN, 1.0, _NAN], [1.0, _NAN, _NAN]),
            [op == "not_equal"] * 3,
            "NaN compares false",
        )
        for op in (
            "equal",
            "not_equal",
            "less",
            "less_equal",
            "greater",
            "greater_equal",
        )
    ),
    EdgeCase(
        "sign",
        "float32",
        ([_NAN, -0.0, -_INF, 3.0],),
        [_NAN, 0.0, -1.0, 1.0],
        "the sign of NaN is NaN",
    ),
    EdgeCase(
        "round",
        "float32",
        ([0.5, 1.5, 2.5, -0.5, -1.5, _NAN, _INF],),
        [0.0, 2.0, 2.0, 0.0, -2.0, _NAN, _INF],
        "halves go to the even number",
    ),
    EdgeCase(
        "round", "int32", ([14, 15, 25, -15], -1), [10, 20, 20, -20], "of tens too"
    ),
    EdgeCase(
        "log",
        "float32",
        ([0.0, -1.0, _INF],),
        [-_INF, _NAN, _INF],
        "ends of the domain",
    ),
    EdgeCase("sqrt", "float32", ([-1.0, _INF],), [_NAN, _INF], "ends of the domain"),
    EdgeCase(
        "arctanh",
        "float32",
        ([1.0, -1.0, 2.0],),
        [_INF, -_INF, _NAN],
        "ends of the domain",
    ),
    EdgeCase(
        "erfinv",
        "float32",
        ([1.0, -1.0, 1.5, 0.0],),
        [_INF, -_INF, _NAN, 0.0],
        "ends of the domain",
    ),
    EdgeCase("erf", "float32", ([_INF, -_INF, _NAN],), [1.0, -1.0, _NAN], "limits"),
    EdgeCase("erfc", "float32", ([_INF, -_INF, _NAN],), [0.0, 2.0, _NAN], "limits"),
    EdgeCase(
        "logaddexp",
        "float32",
        ([_INF, -_INF, -_INF, 1e30], [_INF, -_INF, 1.0, 1e30]),
        [_INF, -_INF, 1.0, 1e30],
        "infinities are not subtracted",
    ),
    EdgeCase(
        "hypot",
        "float32",
        ([_INF, 3e38, 0.0], [-_INF, 0.0, 0.0]),
        [_INF, 3e38, 0.0],
        "no overflow inside",
    ),
    EdgeCase(
        "left_shift",
        "int32",
        ([1, 1, -1, 1], [32, -1, 40, 31]),
        [0, 0, 0, -(2**31)],
        "shifted out of the word",
    ),
    EdgeCase(
        "right_shift",
        "int32",
        ([8, -8, -8, -8], [32, 32, -1, 1]),
        [0, -1, -1, -4],
        "shifted out of the word",
    ),
    EdgeCase(
        "heaviside",
        "float32",
        ([-1.0, 0.0, 2.0, _NAN], 0.5),
        [0.0, 0.5, 1.0, _NAN],
        "the second argument is the value at 0",
    ),
    EdgeCase(
        "divide_no_nan",
        "float32",
        ([1.0, 0.0, 4.0], [0.0, 0.0, 2.0]),
        [0.0, 0.0, 2.0],
        "a quotient by 0 is 0",
    ),
    EdgeCase("gcd", "int32", ([0, 12, -12], [0, 0, 18]), [0, 12, 6], "never negative"),
    EdgeCase("lcm", "int32", ([0, 4, -4], [0, 0, 6]), [0, 0, 12], "never negative"),
    EdgeCase("sinc", "float32", ([0.0, 1.0],), [1.0, 0.0], "one at zero"),
    EdgeCase("signbit", "float32", ([-0.0, 0.0, -_INF],), [True, False, True], "zeros"),
    EdgeCase(
        "clip",
        "float32",
        ([_NAN, -2.0, 2.0], -1.0, 1.0),
        [_NAN, -1.0, 1.0],
        "NaN stays",
    ),
    EdgeCase(
        "isclose",
        "float32",
        ([_INF, _INF, _NAN], [_INF, -_INF, _NAN]),
        [True, False, False],
        "infinities are close to themselves",
    ),
)

_SINGULAR: Final = [[1.0, 1.0], [1.0, 1.0]]
_LINALG: Final = (
    # A kernel under compilation cannot raise, so no kernel does.
    EdgeCase(
        "solve",
        "float32",
        (_SINGULAR, [1.0, 2.0]),
        [_NAN, _NAN],
        "no value of a singular system is finite",
    ),
    EdgeCase(
        "solve",
        "float32",
        ([[1.0, 0.0], [0.0, 0.0]], [1.0, 1.0]),
        [_NAN, _NAN],
        "nor one that its equations would fix",
    ),
    EdgeCase(
        "inv", "float32", (_SINGULAR,), [[_NAN] * 2] * 2, "a singular matrix has none"
    ),
    EdgeCase("det", "float32", (_SINGULAR,), 0.0, "a singular matrix has 0"),
    EdgeCase(
        "solve_triangular",
        "float32",
        ([[1.0, 1.0], [0.0, 0.0]], [1.0, 1.0]),
        [_NAN, _NAN],
        "a zero on the diagonal",
    ),
    EdgeCase(
        "cholesky",
        "float32",
        ([[-1.0, 0.0], [0.0, 1.0]],),
        [[_NAN] * 2] * 2,
        "the matrix is not positive definite",
    ),
)

_REDUCING: Final = (
    EdgeCase("sum", "float32", ([],), 0.0, "the sum of nothing"),
    EdgeCase("prod", "float32", ([],), 1.0, "the product of nothing"),
    EdgeCase("mean", "float32", ([],), _NAN, "the mean of nothing"),
    EdgeCase("logsumexp", "float32", ([],), -_INF, "the logarithm of zero"),
    EdgeCase("max", "float32", ([1.0, _NAN],), _NAN, "NaN spreads"),
    EdgeCase("min", "float32", ([1.0, _NAN],), _NAN, "NaN spreads"),
    EdgeCase("argmax", "int32", ([3, 7, 7],), 1, "the first of equals"),
    EdgeCase("argmin", "int32", ([3, 1, 1],), 1, "the first of equals"),
    EdgeCase("argmax", "float32", ([3.0, _NAN, 7.0],), 1, "NaN wins"),
    EdgeCase("argmin", "float32", ([3.0, _NAN, 0.0],), 1, "NaN wins"),
    EdgeCase("sort", "float32", ([_NAN, _INF, 1.0],), [1.0, _INF, _NAN], "NaN last"),
    EdgeCase("sort", "bfloat16", ([_NAN, 2.0, 1.0],), [1.0, 2.0, _NAN], "NaN last"),
    EdgeCase("argsort", "bfloat16", ([_NAN, 2.0, 1.0],), [2, 1, 0], "NaN last"),
    EdgeCase("argsort", "int32", ([2, 1, 2, 1],), [1, 3, 0, 2], "equals keep order"),
    EdgeCase("nanargmax", "float32", ([_NAN, _NAN],), -1, "no number to find"),
    EdgeCase("std", "float32", ([2.0, 2.0],), 0.0, "all values are equal"),
)

_INDEXING: Final = (
    EdgeCase("take", "int32", ([5, 6, 7], [-1, 0, -3], 0), [7, 5, 5], "counted back"),
    EdgeCase(
        "take_along_axis", "int32", ([5, 6, 7], [-1, 0], 0), [7, 5], "counted back"
    ),
    EdgeCase(
        "one_hot",
        "int32",
        ([0, 2, 3, -1], 3),
        [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]],
        "no class, no one",
    ),
    EdgeCase("max", "float32", ([], None, False, 0.5), 0.5, "the initial value"),
    EdgeCase("min", "float32", ([], None, False, 0.5), 0.5, "the initial value"),
    EdgeCase("searchsorted", "float32", ([1.0, 2.0], [_NAN]), [2], "NaN is last"),
    EdgeCase("searchsorted", "bfloat16", ([1.0, 2.0], [_NAN]), [2], "NaN is last"),
)

EDGE_CASES: Final = (*_ELEMENTWISE, *_LINALG, *_REDUCING, *_INDEXING)

_MATRIX: Final = [[0.0, 1.0], [1.0, 0.0]]
EDGE_ERRORS: Final = (
    EdgeError(
        *("sigmoid_crossentropy", "float32", (_MATRIX, [0.5, 0.5]), "ShapeError"),
        words=("one shape", "target (2, 2)", "output (2,)"),
    ),
    EdgeError(
        *("sigmoid_crossentropy", "float32", ([0.5, 0.5], _MATRIX), "ShapeError"),
        words=("one shape", "target (2,)", "output (2, 2)"),
    ),
    EdgeError(
        *("take", "int32", ([5, 6, 7], [0, 3], 0), "ArgumentError"),
        words=("index 3", "3"),
        compiled=[5, 7],
    ),
    EdgeError(
        *("take", "int32", ([5, 6, 7], [-4], 0), "ArgumentError"),
        words=("index -4", "3"),
        compiled=[5],
    ),
    EdgeError(
        *("take_along_axis", "int32", ([5, 6, 7], [4], 0), "ArgumentError"),
        words=("index 4", "3"),
        compiled=[7],
    ),
    *(
        EdgeError(op, "float32", ([],), "ShapeError", words=(f"ops.{op}",))
        for op in ("max", "min", "argmax", "argmin")
    ),
)

# Op, arguments and the gradients of the sum of the result: ties share evenly.
EDGE_SLOPES: Final[tuple[tuple[str, tuple[Any, ...], tuple[Any, ...]], ...]] = (
    ("maximum", ([1.0, 2.0], [1.0, 1.0]), ([0.5, 1.0], [0.5, 0.0])),
    ("minimum", ([1.0, 2.0], [1.0, 1.0]), ([0.5, 0.0], [0.5, 1.0])),
    ("max", ([2.0, 1.0, 2.0],), ([0.5, 0.0, 0.5],)),
    ("min", ([1.0, 1.0, 2.0],), ([0.5, 0.5, 0.0],)),
    ("abs", ([0.0, -2.0],), ([0.0, -1.0],)),
    ("relu", ([0.0, 1.0],), ([0.0, 1.0],)),
)
