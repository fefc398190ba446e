"""Cases of `polykeras.ops.logical`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT
from polykeras.conformance._case import OpCase
from polykeras.conformance._samples import call, real, truth
from polykeras.conformance.cases._builders import alias, misfit

__all__ = ["CASES"]

_WORDS: Final = ("int32", "uint8", "int64")


def _truths(op: str, reference: Any, count: int) -> OpCase:
    shapes = [(2, 3), (3,)][:count]
    return OpCase(
        op,
        samples=(
            call(*[truth(*s) for s in shapes]),
            call(*[real(*s) for s in shapes]),
            call(*[truth() for s in shapes]),
        ),
        reference=reference,
        bound=EXACT,
        dtypes=("float32", "int32"),
        result="bool",
        errors=(misfit(op),) if count == 2 else (),
    )


_NOT: Final = OpCase(
    "bitwise_not",
    samples=(
        call(real(2, 3)),
        call(real()),
    ),
    reference=np.invert,
    bound=EXACT,
    dtypes=("int32", "int8", "int64"),
)
_AND: Final = OpCase(
    "bitwise_and",
    samples=(call(real(2, 3), real(3)), call(real(0, 2), real(2))),
    reference=np.bitwise_and,
    bound=EXACT,
    dtypes=_WORDS,
)


def _like_and(op: str, reference: Any) -> OpCase:
    return OpCase(op, _AND.samples, reference, EXACT, dtypes=_WORDS)


def _shift(op: str, reference: Any) -> OpCase:
    amount = real(3, low=0, high=2)
    samples = (call(real(2, 3, low=0, high=10), amount),)
    return OpCase(op, samples, reference, EXACT, dtypes=_WORDS)


_LEFT: Final = _shift("left_shift", np.left_shift)
_RIGHT: Final = _shift("right_shift", np.right_shift)

CASES: Final = (
    _truths("logical_not", np.logical_not, 1),
    _truths("logical_and", np.logical_and, 2),
    _truths("logical_or", np.logical_or, 2),
    _truths("logical_xor", np.logical_xor, 2),
    _NOT,
    alias(_NOT, "bitwise_invert"),
    _AND,
    _like_and("bitwise_or", np.bitwise_or),
    _like_and("bitwise_xor", np.bitwise_xor),
    _LEFT,
    alias(_LEFT, "bitwise_left_shift"),
    _RIGHT,
    alias(_RIGHT, "bitwise_right_shift"),
)
