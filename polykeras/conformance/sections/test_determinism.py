"""Determinism: the same call gives the same bits, whatever was called in between."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polykeras.backend import Backend
from polykeras.conformance._case import Trial
from polykeras.conformance._checks import check_same
from polykeras.conformance._programs import run_trial
from polykeras.conformance._trials import first_dtype


@pytest.mark.trials(of=first_dtype)
def test_determinism(backend: Backend, trial: Trial) -> None:
    first = [np.array(backend.to_numpy(x)) for x in run_trial(trial, trial.tensors())]
    other = replace(trial, seed=trial.seed + 1)
    run_trial(other, other.tensors())
    for _ in range(2):
        again = [backend.to_numpy(x) for x in run_trial(trial, trial.tensors())]
        check_same(again, first, f"{trial}: the same call again")
