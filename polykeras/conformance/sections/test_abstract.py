"""Abstract equals eager: shapes and dtypes, with known and with unknown sizes."""

from __future__ import annotations

from typing import Any

import pytest

from polykeras.backend import Backend
from polykeras.conformance._case import Trial
from polykeras.conformance._programs import run_trial
from polykeras.conformance._trials import first_dtype
from polykeras.errors import PolykerasError
from polykeras.ops._abstract import Spec, evaluate, specs_like
from polykeras.symbolic import KerasTensor


def _said(results: list[Any]) -> list[tuple[tuple[int | None, ...], str]]:
    return [(tuple(x.shape), x.dtype) for x in results]


def _eager(backend: Backend, trial: Trial) -> list[tuple[tuple[int, ...], str]]:
    results = run_trial(trial, trial.tensors())
    return [(tuple(x.shape), backend.dtype_name(x)) for x in results]


@pytest.mark.trials(of=first_dtype)
def test_abstract(backend: Backend, trial: Trial) -> None:
    if trial.case.compiled:
        specs = specs_like(trial.tensors())
        found = _said(evaluate(lambda *x: trial.run(x), specs))
        expected = _eager(backend, trial)
        assert found == expected, (
            f"{trial}: without values {found}, on {backend.name} {expected}"
        )
    else:
        _assert_refused(trial)


def _assert_refused(trial: Trial) -> None:
    """Ops whose shapes depend on values say so where there are none."""
    try:
        evaluate(lambda *x: trial.run(x), specs_like(trial.tensors()))
    except (PolykerasError, TypeError):
        return
    raise AssertionError(f"{trial}: has a shape without values, yet is not compiled")


@pytest.mark.trials(of=first_dtype)
def test_unknown_size(backend: Backend, trial: Trial) -> None:
    """What is said of a tensor with an unknown first size holds for this size."""
    sizes = [d.shape[0] for d in trial.sample.draws if d.shape]
    # Functions that close over a tensor of a graph are refused, so they are left out.
    if not sizes or not trial.case.compiled or trial.case.call is not None:
        return
    tensors = trial.tensors()
    changed = [len(d.shape) > 0 and d.shape[0] == sizes[0] for d in trial.sample.draws]

    def with_first(size: int | None, make: Any) -> list[Any]:
        return [
            make((size, *tuple(x.shape)[1:]), backend.dtype_name(x))
            if is_changed
            else make(tuple(x.shape), backend.dtype_name(x))
            for x, is_changed in zip(tensors, changed, strict=True)
        ]

    try:
        for size in (5040, 10080):
            evaluate(lambda *x: trial.run(x), with_first(size, Spec))
    except (PolykerasError, TypeError, ValueError):
        return  # the call fits no other size, so nothing is unknown
    found = _said(trial.run(with_first(None, KerasTensor)))
    expected = _eager(backend, trial)
    fits = len(found) == len(expected) and all(
        name == n
        and len(shape) == len(s)
        and all(a in {None, b} for a, b in zip(shape, s, strict=True))
        for (shape, name), (s, n) in zip(found, expected, strict=True)
    )
    assert fits, (
        f"{trial}: with an unknown first size {found}, on {backend.name} {expected}"
    )
