"""Cases of `polykeras.ops.products` and `polykeras.ops.contractions`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import ROUNDED, composed, summed
from polykeras.conformance._case import FLOATS, ErrorSample, OpCase
from polykeras.conformance._samples import Sample, call, real
from polykeras.errors import ShapeError

__all__ = ["CASES"]

_DTYPES: Final = (*FLOATS, "int32")


def _product(
    op: str,
    reference: Callable[..., Any],
    terms: int,
    *samples: Sample,
    **case: Any,
) -> OpCase:
    """Make the case of a bilinear op: its scale is itself of magnitudes."""

    def scale(x1: Any, x2: Any, *rest: Any, **how: Any) -> Any:
        return np.abs(np.asarray(reference(np.abs(x1), np.abs(x2), *rest, **how)))

    fields: dict[str, Any] = {"dtypes": _DTYPES, "gradient": 2} | case
    return OpCase(
        op,
        samples,
        lambda *args, **how: np.asarray(reference(*args, **how)),
        summed(terms, scale),
        **fields,
    )


def _misfit(op: str, first: tuple[int, ...], second: tuple[int, ...]) -> ErrorSample:
    words = (str(first), str(second))
    return ErrorSample(call(real(*first), real(*second)), ShapeError, words)


def _einsum(subscripts: str, *operands: Any) -> Any:
    return np.asarray(np.einsum(subscripts, *operands))


def _magnitudes(subscripts: str, *operands: Any) -> Any:
    return np.asarray(np.einsum(subscripts, *map(np.abs, operands)))


CASES: Final = (
    _product(
        "matmul",
        np.matmul,
        4,
        call(real(3, 4), real(4, 2)),
        call(real(2, 3, 4), real(4, 2)),
        call(real(4), real(4)),
        call(real(2, 1, 3, 4), real(5, 4, 2)),
        call(real(0, 4), real(4, 2)),
        errors=(_misfit("matmul", (2, 3), (2, 3)),),
    ),
    _product(
        "tensordot",
        np.tensordot,
        12,
        call(real(2, 3, 4), real(3, 4, 2)),
        call(real(2, 3), real(3, 2), axes=1),
        call(real(2, 3), real(3, 2), axes=[[0], [1]]),
    ),
    _product(
        "dot",
        np.dot,
        4,
        call(real(3, 4), real(4, 2)),
        call(real(4), real(4)),
        call(real(2, 3, 4), real(2, 4, 3)),
        call(real(), real(3)),
    ),
    _product(
        "inner",
        np.inner,
        4,
        call(real(3, 4), real(2, 4)),
        call(real(4), real(4)),
    ),
    OpCase(
        "outer",
        (call(real(3), real(4)), call(real(2, 2), real(3))),
        np.outer,
        ROUNDED,
        _DTYPES,
        gradient=2,
    ),
    _product("vdot", np.vdot, 6, call(real(6), real(6)), call(real(2, 3), real(2, 3))),
    OpCase(
        "kron",
        (call(real(2, 3), real(3, 2)), call(real(2), real(3))),
        np.kron,
        ROUNDED,
        ("float32", "float64", "int32"),
        gradient=2,
    ),
    OpCase(
        "cross",
        (call(real(2, 3), real(2, 3)), call(real(3, 4), real(3, 4), axis=0)),
        np.cross,
        composed(2, "two products and a difference", scale=lambda *a, **k: 8.0),
        ("float32", "float64"),
        gradient=2,
    ),
    OpCase(
        "trace",
        (
            call(real(3, 4)),
            call(real(2, 3, 3), offset=1, axis1=1, axis2=2),
        ),
        lambda x, **how: np.asarray(np.trace(x, **how)),
        composed(3, "a sum of at most 3", scale=lambda *a, **k: 6.0),
        ("float32", "float64", "int32"),
        gradient=2,
    ),
    OpCase(
        "einsum",
        (
            call("ij,jk->ik", real(3, 4), real(4, 2)),
            call("bij,bkj->bik", real(2, 3, 4), real(2, 5, 4)),
            call("ii->i", real(3, 3)),
            call("...i,i->...", real(2, 3, 4), real(4)),
            call("ij->", real(3, 4)),
        ),
        _einsum,
        summed(12, _magnitudes),
        gradient=2,
        errors=(
            ErrorSample(
                call("ij,jk->ik", real(2, 3), real(2, 3)), ShapeError, ("(2, 3)",)
            ),
        ),
    ),
)
