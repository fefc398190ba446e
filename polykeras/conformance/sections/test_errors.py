"""Errors: the type and the words of the case, and the reference's whole message."""

from __future__ import annotations

import pytest

from polykeras.backend import REFERENCE, Backend, active, use_backend
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._trials import Refusal, refusals


def _raised(case: OpCase, sample: ErrorSample) -> Exception | None:
    values = sample.sample.values(sample.dtype)
    args, kwargs = sample.sample.filled(map(active().convert_to_tensor, values))
    try:
        case.fn(*args, **kwargs)
    except Exception as error:  # whatever it is, it is compared
        return error
    return None


@pytest.mark.trials(of=refusals)
def test_errors(backend: Backend, trial: Refusal) -> None:
    sample = trial.refused
    found = _raised(trial.case, sample)
    what = f"{trial} ({sample.dtype}, shapes {trial.shapes})"
    name = sample.error.__name__
    assert found is not None, f"{what}: nothing was raised, expected {name}"
    assert isinstance(found, sample.error), (
        f"{what}: {type(found).__name__} was raised, expected {name}: {found}"
    )
    message = str(found)
    missing = [word for word in sample.words if word not in message]
    assert not missing, f"{what}: the message does not name {missing}: {message}"
    with use_backend(REFERENCE):
        reference = str(_raised(trial.case, sample))
    assert message == reference, (
        f"{what}: the message is\n  {message}\non the reference backend\n  {reference}"
    )
