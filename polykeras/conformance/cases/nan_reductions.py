"""Cases of `polykeras.ops.nan_reductions`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import EXACT, Bound, composed, summed
from polykeras.conformance._case import OpCase
from polykeras.conformance._samples import call, given, real
from polykeras.conformance.cases.reductions import NAN, errors_of

__all__ = ["CASES"]

_DTYPES: Final = ("float32", "float64", "bfloat16")
_EMPTY_ROW: Final = given([[1.0, 2.0], [float("nan"), float("nan")]]).constant()


def _quiet(fn: Callable[..., Any]) -> Callable[..., Any]:
    def call_(*args: Any, **kwargs: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(fn(*args, **kwargs))

    return call_


def _magnitude(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.nansum(np.abs(x), axis=axis, keepdims=keepdims)


def _squares(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.nanmax(np.abs(np.nan_to_num(x)), axis=axis, keepdims=keepdims) ** 2 + 1.0


def _over(op: str, reference: Any, bound: Bound, *more: Any, **case: Any) -> OpCase:
    samples = (
        call(NAN, axis=1),
        call(NAN),
        call(real(2, 3, 4), axis=(0, 2), keepdims=True),
        *more,
    )
    fields: dict[str, Any] = {"gradient": 1, "errors": errors_of(op)[:1]} | case
    return OpCase(op, samples, _quiet(reference), bound, _DTYPES, **fields)


def _along(op: str, reference: Any, bound: Bound, **case: Any) -> OpCase:
    samples = (call(NAN, axis=1), call(NAN), call(real(2, 3), axis=0))
    return OpCase(op, samples, reference, bound, _DTYPES, **case)


def _running(x: Any, axis: int | None = None) -> Any:
    return np.nancumsum(np.abs(x), axis=axis)


CASES: Final = (
    _over("nansum", np.nansum, summed(8, _magnitude)),
    _over("nanprod", np.nanprod, composed(8, "a product of at most 8 factors")),
    _over("nanmax", np.nanmax, EXACT, call(_EMPTY_ROW, axis=0)),
    _over("nanmin", np.nanmin, EXACT, call(_EMPTY_ROW, axis=0)),
    _over(
        "nanmean",
        np.nanmean,
        summed(8, _magnitude),
        call(_EMPTY_ROW, axis=1),
    ),
    _over(
        "nanvar",
        np.nanvar,
        composed(16, "a mean, squared differences and their mean", scale=_squares),
    ),
    _over(
        "nanstd",
        np.nanstd,
        composed(16, "a variance and its root", scale=_squares),
    ),
    _along("nancumsum", np.nancumsum, summed(6, _running), gradient=1),
    _along("nancumprod", np.nancumprod, composed(6, "a product of at most 6 factors")),
    OpCase(
        "nanargmax",
        (call(NAN, axis=1), call(NAN), call(NAN, axis=0, keepdims=True)),
        lambda x, **how: np.asarray(np.nanargmax(x, **how)),
        EXACT,
        _DTYPES,
        "int32",
    ),
    OpCase(
        "nanargmin",
        (call(NAN, axis=1), call(NAN), call(NAN, axis=0, keepdims=True)),
        lambda x, **how: np.asarray(np.nanargmin(x, **how)),
        EXACT,
        _DTYPES,
        "int32",
    ),
)
