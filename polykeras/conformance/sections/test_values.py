"""Values: results are within the bound of the reference, in every dtype."""

from __future__ import annotations

import pytest

from polykeras.backend import Backend
from polykeras.conformance._case import Trial
from polykeras.conformance._checks import Measure, check_trial
from polykeras.conformance._programs import run_trial
from polykeras.conformance._trials import every_dtype


@pytest.mark.trials(of=every_dtype)
def test_values(backend: Backend, trial: Trial, measure: Measure) -> None:
    check_trial(backend, trial, run_trial(trial, trial.tensors()), measure)
