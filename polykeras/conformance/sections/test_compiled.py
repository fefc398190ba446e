"""Compiled equals eager, and a second call with other values is not traced again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from polykeras.backend import Backend
from polykeras.conformance._case import Trial
from polykeras.conformance._checks import check_trial
from polykeras.conformance._trials import compilable


@pytest.mark.trials(of=compilable)
def test_compiled(backend: Backend, trial: Trial) -> None:
    traces = 0

    def fn(tensors: list[Any]) -> list[Any]:
        nonlocal traces
        traces += 1
        return trial.run(tensors)

    compiled = backend.compile(fn)
    for i, seed in enumerate((trial.seed, trial.seed + 1)):
        said = replace(trial, seed=seed)
        results = list(compiled(said.tensors()))
        check_trial(backend, said, results, what=f"compiled, call {i + 1}")
        if i == 0:
            first = traces
    assert not backend.capabilities.compile or traces == first, (
        f"{trial}: the second call was traced again ({traces} traces, {first} before)"
    )
