"""Short forms for cases of families of ops that differ in little."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from polykeras.conformance._bounds import Bound
from polykeras.conformance._case import FLOATS, ErrorSample, OpCase, inexact
from polykeras.conformance._samples import Sample, call, given, real
from polykeras.errors import ShapeError

__all__ = ["WITH_WHOLE", "alias", "binary", "misfit", "moved", "refused", "unary"]

WITH_WHOLE: Final = (*FLOATS, "int32", "bool")
"""Floats, and two dtypes that become floats."""


def unary(
    op: str,
    reference: Callable[..., Any],
    bound: Bound,
    *,
    low: float = -2.0,
    high: float = 2.0,
    more: tuple[Sample, ...] = (),
    options: dict[str, Any] | None = None,
    **case: Any,
) -> OpCase:
    """Make the case of an elementwise function of one tensor.

    Args:
        op: The name.
        reference: The function of arrays.
        bound: Its bound.
        low: Smallest argument.
        high: Largest argument.
        more: Further samples.
        options: Keyword arguments of every sample.
        case: Other fields of the case; by default integers become floats and
            derivatives are checked to second order.
    """
    said = options or {}
    samples = tuple(
        call(real(*shape, low=low, high=high), **said)
        for shape in ((2, 3), (), (0, 2), (3, 1, 2))
    )
    fields: dict[str, Any] = {
        "dtypes": WITH_WHOLE,
        "result": inexact,
        "gradient": 2,
        "elementwise": True,
    } | case
    return OpCase(op, (*samples, *more), reference, bound, **fields)


def binary(
    op: str,
    reference: Callable[..., Any],
    bound: Bound,
    *,
    low: float = -2.0,
    high: float = 2.0,
    more: tuple[Sample, ...] = (),
    **case: Any,
) -> OpCase:
    """Make the case of an elementwise function of two tensors, which broadcast.

    Args:
        op: The name.
        reference: The function of arrays.
        bound: Its bound.
        low: Smallest argument.
        high: Largest argument.
        more: Further samples.
        case: Other fields of the case; by default dtypes are floats, kept, and
            derivatives are checked to second order.
    """

    def draw(*shape: int) -> Any:
        return real(*shape, low=low, high=high)

    samples = (
        call(draw(2, 3), draw(2, 3)),
        call(draw(2, 1, 3), draw(4, 3)),
        call(draw(3), draw()),
        call(draw(0, 3), draw(1, 3)),
    )
    fields: dict[str, Any] = {
        "gradient": 2,
        "errors": (misfit(op),),
        "elementwise": True,
    } | case
    return OpCase(op, (*samples, *more), reference, bound, **fields)


def misfit(op: str) -> ErrorSample:
    """Return the call of a binary op whose shapes do not broadcast."""
    words = ("(2, 3)", "(4,)", op)
    return ErrorSample(call(real(2, 3), real(4)), ShapeError, words)


def refused(error: type[Exception], sample: Sample, *words: str) -> ErrorSample:
    """Return a call in float32 that must fail.

    Args:
        error: The class of the error.
        sample: The call.
        words: What the message has to name.
    """
    return ErrorSample(sample, error, words)


def moved(
    op: str, reference: Callable[..., Any], *samples: Sample, **case: Any
) -> OpCase:
    """Make the case of an op that moves values and computes nothing.

    Args:
        op: The name.
        reference: The function of arrays.
        samples: The calls.
        case: Other fields of the case; by default floats, integers and booleans are
            tested, and derivatives to second order.
    """
    from polykeras.conformance._bounds import EXACT

    fields: dict[str, Any] = {
        "dtypes": ("float32", "bfloat16", "int32", "uint8", "bool"),
        "gradient": 2,
    } | case
    return OpCase(op, samples, reference, EXACT, **fields)


def alias(case: OpCase, name: str) -> OpCase:
    """Return the case of another name for the same op."""
    return replace(case, op=name, errors=())


SPECIAL: Final = given(
    [float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 1.0]
).constant()
