"""Cases of `polykeras.ops.reductions`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polykeras import dtypes
from polykeras.conformance._bounds import EXACT, Bound, composed, summed
from polykeras.conformance._case import FLOATS, NUMBERS, ErrorSample, OpCase
from polykeras.conformance._samples import Sample, call, given, real, truth
from polykeras.errors import ArgumentError

__all__ = ["CASES", "errors_of", "magnitude", "over_axes"]

NAN: Final = given([[1.0, float("nan"), 2.0], [3.0, 1.0, -1.0]]).constant()


def over_axes(*more: Sample, **said: Any) -> tuple[Sample, ...]:
    """Return reductions over all, one, negative and several axes."""
    return (
        call(real(3, 4), **said),
        call(real(2, 3, 4), axis=1, keepdims=True, **said),
        call(real(2, 3, 4), axis=(0, -1), **said),
        call(real(), **said),
        *more,
    )


def errors_of(op: str, *given_: Any) -> tuple[ErrorSample, ...]:
    """Return the calls with an axis that does not exist, and one said twice."""
    return (
        ErrorSample(call(real(2, 3), *given_, axis=2), ArgumentError, ("axis", "2")),
        ErrorSample(call(real(2, 3), *given_, axis=(0, 0)), ArgumentError, ("axis",)),
    )


def magnitude(x: Any, axis: Any = None, keepdims: bool = False, **rest: Any) -> Any:
    """Return the sum of magnitudes, the scale of a sum."""
    return np.sum(np.abs(x), axis=axis, keepdims=keepdims)


def _reduction(
    op: str, reference: Callable[..., Any], bound: Bound, *more: Sample, **case: Any
) -> OpCase:
    fields: dict[str, Any] = {"gradient": 2, "errors": errors_of(op)} | case
    return OpCase(op, over_axes(*more), reference, bound, **fields)


def _extreme(op: str, reference: Callable[..., Any]) -> OpCase:
    return _reduction(op, reference, EXACT, call(NAN, axis=1), dtypes=NUMBERS)


def _position(op: str, reference: Callable[..., Any]) -> OpCase:
    samples = (
        call(real(3, 4)),
        call(real(2, 3, 4), axis=1),
        call(real(2, 3), axis=-1, keepdims=True),
        call(given([1.0, 3.0, 3.0, 1.0])).noted("ties"),
        call(NAN, axis=1).noted("NaN"),
    )
    return OpCase(
        op,
        samples,
        lambda x, **how: np.asarray(reference(x, **how)),
        EXACT,
        dtypes=NUMBERS,
        result="int32",
        errors=errors_of(op)[:1],
    )


def _truth(op: str, reference: Callable[..., Any]) -> OpCase:
    samples = (
        call(real(3, 4)),
        call(truth(3, 4), axis=0),
        call(truth(2, 3, 4), axis=(0, -1), keepdims=True),
        call(truth(0, 2), axis=0),
    )
    return OpCase(
        op,
        samples,
        reference,
        EXACT,
        dtypes=("float32", "int32"),
        result="bool",
        errors=errors_of(op),
    )


def _positive(*shape: int) -> Any:
    return real(*shape, low=0.6, high=1.6)


CASES: Final = (
    _reduction(
        "sum",
        np.sum,
        summed(12, magnitude),
        call(real(0, 3), axis=0),
        dtypes=(*NUMBERS, "bool"),
        result=dtypes.sum_dtype,
    ),
    OpCase(
        "prod",
        samples=(
            call(_positive(3, 4)),
            call(_positive(2, 3, 4), axis=1, keepdims=True),
            call(_positive(2, 3), axis=(0, -1)),
            call(_positive(0, 3), axis=0),
        ),
        reference=np.prod,
        bound=composed(12, "a product of at most 12 factors"),
        dtypes=("float32", "float64", "int32"),
        gradient=2,
        errors=errors_of("prod"),
    ),
    _extreme("max", np.max),
    _extreme("min", np.min),
    _extreme("amax", np.max),
    _extreme("amin", np.min),
    _reduction(
        "ptp",
        np.ptp,
        composed(1, "one difference"),
        dtypes=(*FLOATS, "int32"),
    ),
    _position("argmax", np.argmax),
    _position("argmin", np.argmin),
    _truth("any", np.any),
    _truth("all", np.all),
    OpCase(
        "count_nonzero",
        samples=(
            call(real(3, 4)),
            call(given([[0, 1, 2], [0, 0, 3]], "int32"), axis=1),
        ),
        reference=lambda x, axis=None: np.asarray(np.count_nonzero(x, axis=axis)),
        bound=EXACT,
        dtypes=("float32", "int32", "bool"),
        result="int32",
    ),
)
