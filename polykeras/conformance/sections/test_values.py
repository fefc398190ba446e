"""Values: results are within the bound of the reference, in every dtype."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from polykeras.backend import Array, Backend
from polykeras.conformance._case import Trial
from polykeras.conformance._checks import Measure, check_trial
from polykeras.conformance._programs import is_wide, run_among, run_trial
from polykeras.conformance._settings import Settings
from polykeras.conformance._trials import every_dtype, trials_of


@pytest.mark.trials(of=every_dtype)
def test_values(
    backend: Backend, trial: Trial, measure: Measure, settings: Settings
) -> None:
    check_trial(backend, trial, _results(backend, trial, settings), measure)


def _results(backend: Backend, trial: Trial, settings: Settings) -> list[Any]:
    # Other sections share the programs of the first dtype, and none of the others.
    if not trial.compiled or trial.dtype == trial.case.dtypes[0]:
        return run_trial(trial, trial.tensors())
    chosen = trials_of(every_dtype, backend, replace(settings, ops=(trial.case.op,)))
    alike = [
        other
        for other in chosen
        if other.compiled
        and other.dtype != other.case.dtypes[0]
        and is_wide(other.dtypes) == is_wide(trial.dtypes)
    ]
    return run_among(trial, alike, _drawn)


def _drawn(trial: Trial) -> tuple[Trial, Sequence[Array]]:
    return trial, trial.values()
