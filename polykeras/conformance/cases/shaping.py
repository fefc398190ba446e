"""Cases of `polykeras.ops.shaping`: values move, so every result is exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import Sample, call, real, whole
from polykeras.errors import ArgumentError, ShapeError

__all__ = ["CASES", "MOVED", "moving"]

MOVED: Final = ("float32", "bfloat16", "int32", "bool")
"""One dtype of each kind that libraries treat in code of their own."""


def moving(
    op: str, reference: Callable[..., Any], *samples: Sample, **more: Any
) -> OpCase:
    """Return the case of an op that moves values and computes none.

    Args:
        op: The name.
        reference: The function of NumPy arrays.
        samples: Calls.
        more: Other fields of `OpCase`. One derivative is enough: moving is linear.
    """
    settings = {"dtypes": MOVED, "gradient": 1, **more}
    return OpCase(op, samples=samples, reference=reference, bound=EXACT, **settings)


def _error(kind: type[Exception], sample: Sample, *words: str) -> ErrorSample:
    return ErrorSample(sample, kind, words)


CASES: Final = (
    moving(
        "reshape",
        np.reshape,
        call(real(2, 6), (3, -1)),
        call(real(2, 3, 4), 24),
        call(real(0, 3), (0, 7)),
        call(real(), (1, 1)),
        call(real(1, 1), ()),
        errors=(
            _error(ShapeError, call(real(3, 4), (5, -1)), "reshape", "12 values"),
            _error(ShapeError, call(real(3, 4), (-1, -1)), "at most one -1"),
        ),
    ),
    moving("ravel", np.ravel, call(real(2, 3, 4)), call(real()), call(real(0, 2))),
    moving(
        "expand_dims",
        np.expand_dims,
        call(real(2, 3), 1),
        call(real(2, 3), -1),
        call(real(2, 3), (0, -1)),
        call(real(), 0),
        errors=(_error(ArgumentError, call(real(3, 4), 5), "expand_dims", "axis 5"),),
    ),
    moving(
        "squeeze",
        np.squeeze,
        call(real(3, 1, 2, 1)),
        call(real(1, 3, 1), -1),
        call(real(1, 3, 1, 2), (0, -2)),
        call(real(0, 1)),
        errors=(_error(ShapeError, call(real(3, 4), 0), "squeeze", "size is 3"),),
    ),
    moving(
        "transpose",
        np.transpose,
        call(real(2, 3, 4)),
        call(real(2, 3, 4), (2, 0, 1)),
        call(real(2, 3, 4), (-1, 0, -2)),
        call(real(3)),
        call(real()),
        errors=(
            _error(ArgumentError, call(real(3, 4), (0, 0)), "permutation"),
            _error(ArgumentError, call(real(3, 4), (0,)), "transpose"),
        ),
    ),
    moving(
        "moveaxis",
        np.moveaxis,
        call(real(2, 3, 4), 0, -1),
        call(real(2, 3, 4), (0, 1), (2, 0)),
        call(real(2, 0), 1, 0),
        errors=(
            _error(ArgumentError, call(real(3, 4), (0, 1), 0), "as many"),
            _error(ArgumentError, call(real(3, 4), 2, 0), "axis 2"),
        ),
    ),
    moving(
        "swapaxes",
        np.swapaxes,
        call(real(2, 3, 4), 0, 2),
        call(real(2, 3, 4), -1, -2),
        call(real(2, 0), 0, 1),
        errors=(_error(ArgumentError, call(real(3, 4), 0, 2), "axis 2"),),
    ),
    moving(
        "flip",
        np.flip,
        call(real(2, 3)),
        call(real(2, 3, 2), 1),
        call(real(2, 3, 2), (0, -1)),
        call(real(0, 2), 0),
        call(real()),
        errors=(_error(ArgumentError, call(real(3, 4), 2), "flip", "axis 2"),),
    ),
    moving(
        "fliplr",
        np.fliplr,
        call(real(2, 3)),
        call(real(2, 3, 2)),
        call(real(2, 0)),
        errors=(_error(ArgumentError, call(real(3)), "axis 1"),),
    ),
    moving(
        "flipud",
        np.flipud,
        call(real(2, 3)),
        call(real(3)),
        call(real(0, 2)),
        errors=(_error(ArgumentError, call(real()), "axis 0"),),
    ),
    moving(
        "broadcast_to",
        np.broadcast_to,
        call(real(3, 1), (2, 3, 4)),
        call(real(), (2, 2)),
        call(real(1), 4),
        call(real(1, 3), (0, 3)),
        errors=(
            _error(ShapeError, call(real(3, 4), (3, 5)), "(3, 4)", "(3, 5)"),
            _error(ShapeError, call(real(3, 4), (4,)), "broadcast_to"),
        ),
    ),
    moving(
        "concatenate",
        np.concatenate,
        call([real(2, 3), real(2, 1), real(2, 3)], 1),
        call([real(2, 3), real(1, 3)]),
        call([real(0, 3), real(2, 3)], -2),
        call([real(2), whole(2, dtype="int8")]).noted("promotes"),
        dtypes=("float32", "bfloat16", "int32", "complex64"),
        errors=(
            _error(ShapeError, call([real(3, 4), real(4, 3)]), "(3, 4)", "(4, 3)"),
            _error(ArgumentError, call([]), "at least one"),
            _error(ArgumentError, call([real(3)], 1), "axis 1"),
        ),
    ),
)
