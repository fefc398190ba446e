"""Purity: ops leave their inputs alone and keep no hold of their results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polykeras import dtypes
from polykeras.backend import Backend
from polykeras.conformance._case import Trial
from polykeras.conformance._checks import check_same
from polykeras.conformance._programs import run_trial
from polykeras.conformance._trials import first_dtype


@pytest.mark.trials(of=first_dtype)
def test_inputs_are_kept(backend: Backend, trial: Trial) -> None:
    tensors = trial.tensors()
    before = [np.array(backend.to_numpy(x)) for x in tensors]
    run_trial(trial, tensors)
    after = [backend.to_numpy(x) for x in tensors]
    check_same(after, before, f"{trial}: the input changed")


@pytest.mark.trials(of=first_dtype)
def test_results_are_kept(backend: Backend, trial: Trial) -> None:
    """A later call of the same op writes nothing into an earlier result."""
    results = run_trial(trial, trial.tensors())
    before = [np.array(backend.to_numpy(x)) for x in results]
    other = replace(trial, seed=trial.seed + 1)
    run_trial(other, other.tensors())
    after = [backend.to_numpy(x) for x in results]
    check_same(after, before, f"{trial}: a second call changed the first result")


@pytest.mark.in_declared_dtypes
@pytest.mark.parametrize("dtype", dtypes.ALL)
def test_tensors_share_nothing(backend: Backend, dtype: str) -> None:
    """A tensor made of an array does not change when the array is written."""
    array = np.ones((2, 3), dtypes.as_numpy_dtype(dtype))
    tensor = backend.from_numpy(array, dtype)
    array[...] = 0
    found = backend.to_numpy(tensor)
    assert (found == 1).all(), (
        f"{dtype}: writing to the array changed the tensor: {found}"
    )
