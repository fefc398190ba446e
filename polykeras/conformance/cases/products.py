"""Cases of `polykeras.ops.products` and `polykeras.ops.contractions`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import ROUNDED, composed, summed
from polykeras.conformance._case import FLOATS, ErrorSample, OpCase
from polykeras.conformance._samples import Sample, call, real
from polykeras.conformance.cases._builders import refused
from polykeras.errors import ArgumentError, ShapeError

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
        errors=(
            _misfit("matmul", (2, 3), (2, 3)),
            _misfit("matmul", (3,), (4,)),
            refused(ShapeError, call(real(2, 2, 3), real(4, 3, 2)), "matmul", "(4,)"),
            _misfit("matmul", (), (3,)),
        ),
    ),
    _product(
        "tensordot",
        np.tensordot,
        12,
        call(real(2, 3, 4), real(3, 4, 2)),
        call(real(2, 3), real(3, 2), axes=1),
        call(real(2, 3), real(3, 2), axes=[[0], [1]]),
        call(real(2), real(3), axes=0),
        call(real(2, 3, 4), real(4, 3, 2), axes=([1, -1], [1, 0])),
        errors=(
            refused(ShapeError, call(real(2, 3), real(2, 3), axes=1), "(2, 3)"),
            refused(ArgumentError, call(real(2), real(2), axes=2), "axes"),
            refused(ArgumentError, call(real(2), real(2), axes=[[0], [3]]), "3"),
        ),
    ),
    _product(
        "dot",
        np.dot,
        4,
        call(real(3, 4), real(4, 2)),
        call(real(4), real(4)),
        call(real(2, 3, 4), real(2, 4, 3)),
        call(real(), real(3)),
        errors=(refused(ShapeError, call(real(2), real(3)), "(2,)", "(3,)"),),
    ),
    _product(
        "inner",
        np.inner,
        4,
        call(real(3, 4), real(2, 4)),
        call(real(4), real(4)),
        errors=(refused(ShapeError, call(real(2), real(3)), "(2,)", "(3,)"),),
    ),
    OpCase(
        "outer",
        (call(real(3), real(4)), call(real(2, 2), real(3))),
        np.outer,
        ROUNDED,
        _DTYPES,
        gradient=2,
    ),
    _product(
        "vdot",
        np.vdot,
        6,
        call(real(6), real(6)),
        call(real(2, 3), real(2, 3)),
        errors=(refused(ShapeError, call(real(2), real(3)), "2", "3"),),
    ),
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
        errors=(refused(ShapeError, call(real(4), real(4)), "cross", "(4,)"),),
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
        errors=(refused(ShapeError, call(real(3)), "two axes", "(3,)"),),
    ),
    OpCase(
        "einsum",
        (
            call("ij,jk->ik", real(3, 4), real(4, 2)),
            call("bij,bkj->bik", real(2, 3, 4), real(2, 5, 4)),
            call("ii->i", real(3, 3)),
            call("...i,i->...", real(2, 3, 4), real(4)),
            call("ij->", real(3, 4)),
            call("ij,jk", real(2, 3), real(3, 4)).noted("implicit result"),
            call("iij->j", real(3, 3, 2)),
            call("ij,jk,kl->il", real(2, 3), real(3, 4), real(4, 2)),
            call("ij,kl->", real(2, 3), real(2, 2)),
            call("...ij,...jk->...ik", real(3, 1, 2, 3), real(2, 3, 2)),
        ),
        _einsum,
        summed(12, _magnitudes),
        gradient=2,
        errors=(
            ErrorSample(
                call("ij,jk->ik", real(2, 3), real(2, 3)), ShapeError, ("(2, 3)",)
            ),
            refused(ShapeError, call("ijk->i", real(2, 3)), "einsum", "(2, 3)"),
            refused(ArgumentError, call("ij,jk->ik", real(2, 3)), "einsum"),
            refused(ArgumentError, call("ij->ik", real(2, 3)), "k"),
            refused(ArgumentError, call("ij->ii", real(2, 3)), "i"),
            refused(ArgumentError, call("...i->i", real(2, 3)), "einsum"),
            refused(ArgumentError, call("i3->i", real(2, 3)), "i3->i"),
            refused(ShapeError, call("ij->i", real(2, 3, 4)), "(2, 3, 4)"),
            refused(
                ShapeError, call("...i,...i->...", real(2, 3), real(4, 3)), "einsum"
            ),
        ),
    ),
)
