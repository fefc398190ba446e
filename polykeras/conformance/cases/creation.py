"""Cases of `polykeras.ops.creation`, `.ranges` and `.matrices`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT, Bound, composed
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import call, real
from polykeras.conformance.cases._builders import moved
from polykeras.errors import ArgumentError

__all__ = ["CASES"]

_F: Final = ("float32",)
_LIKE: Final = ("float32", "bfloat16", "int32", "bool")
_STEPS: Final = composed(
    4, "a step, its multiples and a sum", scale=lambda *a, **k: 8.0
)
_POWERS: Final = composed(64, "a power whose exponent is rounded: |y ln b| ULP")


def _fixed(op: str, reference: Any, *samples: Any, result: str = "float32") -> OpCase:
    return OpCase(op, samples, reference, EXACT, _F, result)


def _like(op: str, reference: Any) -> OpCase:
    samples = (call(real(2, 3)), call(real()), call(real(0, 2)))
    return OpCase(op, samples, reference, EXACT, _LIKE)


def _zero(result: Any, *args: Any, **kwargs: Any) -> Any:
    """Return zeros of the result's form: what `empty` holds is not defined."""
    from polykeras import ops

    return ops.zeros_like(result)


def _window(op: str, reference: Any, bound: Bound, *more: Any) -> OpCase:
    return OpCase(
        op,
        (call(5, *more), call(8, *more), call(1, *more)),
        reference,
        bound,
        _F,
    )


_COSINES: Final = composed(
    8, "cosines of multiples of a rounded step", scale=lambda *a: 1.0
)

CASES: Final = (
    _fixed(
        "full",
        np.full,
        call((2, 3), 1.5),
        call((), 2.0),
        call((0, 2), 1.0),
    ),
    _fixed("zeros", np.zeros, call((2, 3)), call(()), call(3)),
    _fixed("ones", np.ones, call((2, 3)), call(()), call(3)),
    OpCase("empty", (call((2, 3)), call((0,))), np.zeros, EXACT, _F, view=_zero),
    _like("zeros_like", np.zeros_like),
    _like("ones_like", np.ones_like),
    OpCase("empty_like", (call(real(2, 3)),), np.zeros_like, EXACT, _LIKE, view=_zero),
    OpCase(
        "full_like",
        (call(real(2, 3), 2), call(real(0, 2), 1)),
        np.full_like,
        EXACT,
        ("float32", "int32"),
    ),
    OpCase(
        "arange",
        (call(5.0), call(1.0, 2.0, 0.25), call(3.0, 0.0, -1.0)),
        np.arange,
        EXACT,
        _F,
        errors=(ErrorSample(call(0, 5, 0), ArgumentError, ("step", "0")),),
    ),
    OpCase(
        "linspace",
        (
            call(0.0, 1.0, 5),
            call(-1.0, 1.0, num=4, endpoint=False),
            call(real(3), real(3), num=3, axis=-1),
        ),
        np.linspace,
        _STEPS,
        _F,
        gradient=1,
    ),
    OpCase(
        "logspace",
        (call(0.0, 2.0, 5), call(0.0, 3.0, num=4, base=2.0)),
        np.logspace,
        _POWERS,
        _F,
    ),
    OpCase(
        "geomspace",
        (call(1.0, 8.0, 4), call(2.0, 0.5, num=5, endpoint=False)),
        np.geomspace,
        _POWERS,
        _F,
    ),
    _window("bartlett", np.bartlett, _COSINES),
    _window("blackman", np.blackman, _COSINES),
    _window("hamming", np.hamming, _COSINES),
    _window("hanning", np.hanning, _COSINES),
    OpCase(
        "kaiser",
        (call(5, 2.0), call(8, 0.5)),
        np.kaiser,
        composed(32, "two Bessel functions, each a series, and a division"),
        _F,
    ),
    _fixed("eye", np.eye, call(3), call(2, 4), call(3, 3, 1), call(3, 2, -1)),
    _fixed("identity", np.identity, call(3), call(0)),
    _fixed("tri", np.tri, call(3), call(2, 4, 1), call(3, 3, -1)),
    moved(
        "tril", np.tril, call(real(3, 4)), call(real(2, 3, 3), k=1), call(real(0, 3))
    ),
    moved(
        "triu", np.triu, call(real(3, 4)), call(real(2, 3, 3), k=-1), call(real(0, 3))
    ),
)
