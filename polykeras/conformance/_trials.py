"""Which trials a section runs: some of the dtypes and samples of each op's case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from polykeras import dtypes
from polykeras.backend import Backend
from polykeras.conformance._case import OpCase, Trial
from polykeras.conformance._settings import Settings
from polykeras.conformance.cases import all_cases

__all__ = ["Choice", "every_dtype", "first_dtype", "trials_of"]

Choice: TypeAlias = Callable[[OpCase, bool], Iterator[Trial]]
"""Takes a case and whether the run is exhaustive, gives trials."""


def trials_of(choose: Choice, backend: Backend, settings: Settings) -> Iterator[Trial]:
    """Yield the trials of a section, but those in dtypes the backend does not have.

    Args:
        choose: What the section wants of each case.
        backend: The backend under test.
        settings: Those of the run.
    """
    for name, case in all_cases().items():
        if settings.ops and name not in settings.ops:
            continue
        for trial in choose(case, settings.exhaustive):
            if _has_dtypes(backend, trial):
                yield Trial(case, trial.sample, trial.dtype, settings.seed)


def _has_dtypes(backend: Backend, trial: Trial) -> bool:
    own = {draw.dtype for draw in trial.sample.draws if draw.dtype}
    needed = {trial.dtype, *own, *trial.case.result_dtypes(trial.dtype)}
    known = backend.capabilities.dtypes
    return all(
        name in known and (backend.capabilities.complex or not dtypes.is_complex(name))
        for name in needed
        if name in dtypes.ALL
    )


def every_dtype(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield each sample in each dtype of the case."""
    for sample in case.samples:
        for dtype in case.dtypes:
            yield Trial(case, sample, dtype)


def first_dtype(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield each sample in the first dtype, or in all in an exhaustive run."""
    for sample in case.samples:
        for dtype in case.dtypes if exhaustive else case.dtypes[:1]:
            yield Trial(case, sample, dtype)
