"""Edge cases: one answer where array libraries disagree, values, errors and slopes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from polykeras import dtypes, errors, ops, tree
from polykeras.autodiff import vjp
from polykeras.backend import REFERENCE, Array, Backend, active, use_backend
from polykeras.conformance._case import Trial
from polykeras.conformance._checks import check_trial
from polykeras.conformance._programs import is_wide, run_among
from polykeras.conformance._trials import with_special_values
from polykeras.conformance.edge_cases import (
    EDGE_CASES,
    EDGE_ERRORS,
    EDGE_SLOPES,
    EdgeCase,
    EdgeError,
)
from polykeras.conformance.far_cases import FAR, FAR_CASES, HOMOGENEOUS
from polykeras.conformance.normalization_cases import NORMALIZATIONS
from polykeras.ops._registry import REGISTRY

_CASES = (*EDGE_CASES, *NORMALIZATIONS, *FAR_CASES)
# A float32 that has a square; of one over it the third power is none.
_FAR = 2.0**50
_NORMALIZING: dict[str, Callable[[Any], Any]] = {
    "layer_normalization": lambda x: ops.layer_normalization(x, epsilon=0.0),
    "rms_normalization": lambda x: ops.rms_normalization(x, epsilon=0.0),
    "batch_normalization_training": lambda x: ops.batch_normalization_training(
        x, -1, epsilon=0.0
    )[0],
    "rsqrt": lambda x: ops.multiply(
        x, ops.rsqrt(ops.sum(ops.square(x), -1, keepdims=True))
    ),
}


def _arguments(case: EdgeCase | EdgeError) -> list[Any]:
    """Return the arguments, those that the op takes as tensors in its dtype."""
    tensors = REGISTRY[case.op].op.single  # type: ignore[attr-defined]
    return [
        active().convert_to_tensor(np.array(a), case.dtype)
        if i in tensors and a is not None
        else a
        for i, a in enumerate(case.args)
    ]


def _tolerance(dtype: str) -> float:
    if not dtypes.is_inexact(dtype):
        return 0.0
    limits: Any = ml_dtypes.finfo(dtypes.as_numpy_dtype(dtype))  # type: ignore[no-untyped-call]
    return float(limits.eps)


def _check(
    backend: Backend, case: EdgeCase, what: str, results: Any, expected: tuple[Any, ...]
) -> None:
    found = [backend.to_numpy(x) for x in tree.flatten(results)]
    wanted = [np.array(e, x.dtype) for x, e in zip(found, expected, strict=True)]
    near = _tolerance(case.dtype)
    for x, e in zip(found, wanted, strict=True):
        same = x.shape == e.shape and np.allclose(x, e, near, near, equal_nan=True)
        assert same, (
            f"{what} {case.op} of {case.dtype} {case.args}: {case.why}; got {x!r}, "
            f"expected {e!r}"
        )


def _results(case: EdgeCase) -> tuple[Any, ...]:
    return case.result if isinstance(case.result, tuple) else (case.result,)


def _of_tensors(case: EdgeCase) -> tuple[list[Any], Callable[..., Any]]:
    """Return the tensors among the arguments, and the op as a function of them."""
    given = _arguments(case)
    places = [i for i, a in enumerate(given) if active().is_tensor(a)]

    def fn(*tensors: Any) -> Any:
        full = list(given)
        for i, x in zip(places, tensors, strict=True):
            full[i] = x
        return getattr(ops, case.op)(*full)

    return [given[i] for i in places], fn


@pytest.mark.in_declared_dtypes
@pytest.mark.parametrize("case", _CASES, ids=lambda c: c.id)
def test_values(backend: Backend, case: EdgeCase) -> None:
    results = getattr(ops, case.op)(*_arguments(case))
    _check(backend, case, "", results, _results(case))


@pytest.mark.in_declared_dtypes
@pytest.mark.parametrize(
    "case", [c for c in _CASES if c.slopes is not None], ids=lambda c: c.id
)
def test_values_and_slopes_compiled(backend: Backend, case: EdgeCase) -> None:
    """What is special to one call must not be special to the program either."""
    tensors, fn = _of_tensors(case)
    assert case.slopes is not None  # those that have none are left out

    def both(*tensors: Any) -> Any:
        out, pullback = vjp(fn, *tensors)
        first, *others = tree.flatten(out)
        weights = [ops.ones_like(first), *map(ops.zeros_like, others)]
        slopes = pullback(tree.pack_sequence_as(out, weights))
        return list(tree.flatten(out)), list(tree.flatten(slopes))

    for what, run in (("", both), ("compiled", backend.compile(both))):
        for again in ("", "again"):  # a replay may differ from its recording
            results, slopes = run(*tensors)
            _check(backend, case, f"{what} {again}", results, _results(case))
            what_of = f"{what} {again} gradient of"
            _check(backend, case, what_of, slopes, case.slopes)


@pytest.mark.parametrize("name", _NORMALIZING)
def test_no_power_of_a_normalization_underflows(backend: Backend, name: str) -> None:
    """The slopes of what does not change with the size of `x` go with one over it."""
    rng = np.random.default_rng(0)
    x, g = rng.normal(size=(2, 6, 5)).astype("float32")

    def slopes(size: float) -> Array:
        _, pullback = vjp(_NORMALIZING[name], backend.from_numpy(size * x, "float32"))
        found = pullback(backend.from_numpy(g, "float32"))
        return np.asarray(backend.to_numpy(found), np.float64) * size

    usual, far = slopes(1.0), slopes(_FAR)
    # Both are sums of three terms with means of up to six products.
    near = 2 * 3 * (6 + 2) * _tolerance("float32") * np.abs(usual).max()
    assert np.allclose(far, usual, 0, near), (
        f"{name} of numbers near {_FAR:.0e}: slopes times that are {far}, of numbers "
        f"near 1 {usual}"
    )


@pytest.mark.parametrize("size", [FAR, 1 / FAR])
@pytest.mark.parametrize("name", HOMOGENEOUS)
def test_no_square_in_a_slope_over_or_underflows(
    backend: Backend, name: str, size: float
) -> None:
    """Slopes of arguments of another size follow from those of usual ones."""
    rng = np.random.default_rng(0)
    x, y, g = rng.normal(size=(3, 20)).astype("float32")

    def slopes(scale: float) -> list[Array]:
        points = [backend.from_numpy(scale * a, "float32") for a in (x, y)]
        _, pullback = vjp(getattr(ops, name), *points)
        grads = pullback(backend.from_numpy(g, "float32"))
        factor = scale ** (1 - HOMOGENEOUS[name])
        return [np.asarray(backend.to_numpy(d), np.float64) * factor for d in grads]

    # Scaling by a power of two is exact, so that only the roundings differ: up to four
    # of each, where the scale decides how a library goes about.
    near = 2 * 4 * _tolerance("float32")
    for i, (found, usual) in enumerate(zip(slopes(size), slopes(1.0), strict=True)):
        assert np.allclose(found, usual, near, 0), (
            f"{name} of numbers near {size:.0e}: scaled slopes of argument {i} are "
            f"{found}, of numbers near 1 {usual}"
        )


def _raised(case: EdgeError) -> Exception | None:
    try:
        getattr(ops, case.op)(*_arguments(case))
    except Exception as error:  # whatever it is, it is compared
        return error
    return None


@pytest.mark.parametrize("case", EDGE_ERRORS, ids=lambda c: c.id)
def test_errors(backend: Backend, case: EdgeError) -> None:
    found = _raised(case)
    what = f"{case.op} of {case.dtype} {case.args}"
    assert isinstance(found, getattr(errors, case.error)), (
        f"{what}: {found!r} was raised, expected {case.error}"
    )
    message = str(found)
    missing = [word for word in case.words if word not in message]
    assert not missing, f"{what}: the message does not name {missing}: {message}"
    with use_backend(REFERENCE):
        reference = str(_raised(case))
    assert message == reference, f"{what}: got {message}, expected {reference}"


@pytest.mark.parametrize("case", EDGE_ERRORS, ids=lambda c: c.id)
def test_errors_compiled(backend: Backend, case: EdgeError) -> None:
    """Where values are unknown, an error may become a specified result."""
    given = _arguments(case)
    places = [i for i, a in enumerate(given) if backend.is_tensor(a)]
    known: list[bool] = []

    def fn(*tensors: Any) -> Any:
        full = list(given)
        for i, x in zip(places, tensors, strict=True):
            full[i] = x
        known.append(all(map(backend.is_concrete, tensors)))
        return getattr(ops, case.op)(*full)

    compiled = backend.compile(fn)
    try:
        result = backend.to_numpy(compiled(*(given[i] for i in places)))
    except getattr(errors, case.error):
        assert known[-1] or case.compiled is None, f"{case.op}: raised when compiled"
    else:
        assert not known[-1], f"{case.op}: nothing was raised though values are known"
        assert np.array_equal(result, case.compiled), (
            f"{case.op} compiled: got {result!r}, expected {case.compiled!r}"
        )


@pytest.mark.parametrize(
    ("op", "args", "expected"), EDGE_SLOPES, ids=lambda x: str(x).replace(" ", "")
)
def test_slopes(
    backend: Backend, op: str, args: tuple[Any, ...], expected: tuple[Any, ...]
) -> None:
    points = [backend.convert_to_tensor(np.array(a)) for a in args]
    out, pullback = vjp(getattr(ops, op), *points)
    found: list[Array] = [
        backend.to_numpy(g) for g in tree.flatten(pullback(ops.ones_like(out)))
    ]
    for i, (gradient, wanted) in enumerate(zip(found, expected, strict=True)):
        assert np.array_equal(gradient, np.array(wanted)), (
            f"{op} at {args}: the gradient of argument {i} is {gradient}, "
            f"expected {wanted}"
        )


@pytest.mark.trials(of=with_special_values)
def test_special_values(backend: Backend, trial: Trial) -> None:
    """NaN, infinities, zeros of both signs, the largest and smallest numbers."""
    known = backend.capabilities.dtypes.intersection(trial.case.dtypes)
    floats = [d for d in dtypes.FLOATS if d in known]
    alike = [d for d in floats if is_wide([d]) == is_wide([trial.dtype])]
    form = replace(trial, compiled=False)
    results = run_among(form, [replace(form, dtype=d) for d in alike], _special)
    _, values = _special(form)
    check_trial(backend, trial, results, values=values, what="special values")


def _special(trial: Trial) -> tuple[Trial, list[Array]]:
    limits: Any = ml_dtypes.finfo(dtypes.as_numpy_dtype(trial.dtype))  # type: ignore[no-untyped-call]
    top, least = float(limits.max), float(limits.smallest_normal)
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, top, -top, least, -least]
    values = np.array(special, dtypes.as_numpy_dtype(trial.dtype))
    if len(trial.sample.draws) == 1:
        return trial, [values]
    return trial, [values[:, None], values[None, :]]
