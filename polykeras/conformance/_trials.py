"""Which trials a section runs: some of the dtypes and samples of each op's case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from polykeras import dtypes
from polykeras.backend import Backend
from polykeras.conformance._case import ErrorSample, OpCase, Trial
from polykeras.conformance._programs import compiles
from polykeras.conformance._settings import Settings
from polykeras.conformance.cases import all_cases

if TYPE_CHECKING:
    from polykeras.ops._declare import Op

__all__ = [
    "Choice",
    "Refusal",
    "compilable",
    "differentiable_dtypes",
    "elementwise",
    "elementwise_pairs",
    "every_dtype",
    "first_differentiable",
    "first_dtype",
    "plainest",
    "promoting",
    "refusals",
    "second_differentiable",
    "taking_arrays",
    "trials_of",
    "twice_differentiable",
    "with_axis",
    "with_special_values",
]

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
                compiled = _in_function(backend, trial, settings.exhaustive)
                yield replace(trial, seed=settings.seed, compiled=compiled)


def _in_function(backend: Backend, trial: Trial, exhaustive: bool) -> bool:
    """Return whether a trial is run compiled, where the library runs well only so.

    The plainest calls of primitives are not, nor is that of any op in its first dtype;
    in an exhaustive run no call of a primitive and none in the first dtype.
    """
    case = trial.case
    plain = exhaustive or trial.sample is case.samples[0]
    eagerly = plain and (case.is_primitive or trial.dtype == case.dtypes[0])
    return compiles(backend) and case.compiled and not eagerly


def _has_dtypes(backend: Backend, trial: Trial) -> bool:
    known = backend.capabilities.dtypes
    return all(
        name in known and (backend.capabilities.complex or not dtypes.is_complex(name))
        for name in trial.dtypes
        if name in dtypes.ALL
    )


def every_dtype(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield the first sample in each dtype, the others in two of them, in turn.

    In an exhaustive run each sample is run in each dtype. Libraries that compile take
    most of a run for that, once for each shape and dtype.
    """
    for i, sample in enumerate(case.samples):
        others = case.dtypes[1:]
        two = (
            (case.dtypes[0], *others[i % len(others) :][:1]) if others else case.dtypes
        )
        for dtype in case.dtypes if exhaustive or i == 0 else two:
            yield Trial(case, sample, dtype)


def first_dtype(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield each sample in the first dtype, or in all in an exhaustive run."""
    for sample in case.samples:
        for dtype in case.dtypes if exhaustive else case.dtypes[:1]:
            yield Trial(case, sample, dtype)


def _differentiable(case: OpCase) -> Iterator[Trial]:
    if case.gradient:
        trials = (Trial(case, sample, "float64") for sample in case.samples)
        yield from (trial for trial in trials if trial.differentiated)


def first_differentiable(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield the first sample with derivatives, in float64, or all if exhaustive."""
    trials = _differentiable(case)
    yield from trials if exhaustive else islice(trials, 1)


def second_differentiable(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield the second sample with derivatives, or the only one; all if exhaustive."""
    trials = list(_differentiable(case))
    yield from trials if exhaustive else trials[:2][-1:]


def twice_differentiable(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield the same of ops whose second derivatives are checked."""
    if case.gradient > 1:
        yield from first_differentiable(case, exhaustive)


def differentiable_dtypes(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield the same in bfloat16, in which leaks show, or all in an exhaustive run."""
    for trial in first_differentiable(case, exhaustive):
        floats = [d for d in case.dtypes if dtypes.is_float(d)]
        chosen = [d for d in floats if d == "bfloat16"] or floats[:1]
        for dtype in floats if exhaustive else chosen:
            yield replace(trial, dtype=dtype)


def compilable(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield the first sample in the first dtype; all samples if exhaustive."""
    if case.compiled:
        for sample in case.samples if exhaustive else case.samples[:1]:
            yield Trial(case, sample, case.dtypes[0])


@dataclass(frozen=True)
class Refusal(Trial):
    """A call that must fail.

    Args:
        number: Which error of the case it is.
    """

    number: int = 0

    @property
    def refused(self) -> ErrorSample:
        """The call and the error it has to raise."""
        return self.case.errors[self.number]

    def __str__(self) -> str:
        return f"{super().__str__()}/{self.refused.error.__name__}"


def refusals(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield the calls that must fail."""
    for i, refused in enumerate(case.errors):
        yield Refusal(case, refused.sample, refused.dtype, number=i)


def plainest(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield the first sample in the first dtype; all samples if exhaustive."""
    for sample in case.samples if exhaustive else case.samples[:1]:
        yield Trial(case, sample, case.dtypes[0])


def taking_arrays(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield the plainest trials of ops that convert what they are given to tensors.

    Trees of tensors, such as an optimizer's slots, are taken as they are.
    """
    operation = _operation(case)
    if operation is None or "tree" not in operation.positions:
        yield from plainest(case, exhaustive)


def _operation(case: OpCase) -> Op | None:
    return getattr(case.fn, "op", None)


def _free(case: OpCase) -> bool:
    """Return whether the first sample is nothing but tensors in the tested dtype."""
    draws = case.samples[0].draws
    free = all(draw.dtype is None for draw in draws)
    return free and case.samples[0].args == tuple(draws) and not case.samples[0].kwargs


def elementwise(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield the first sample of ops on one or two tensors, entry by entry."""
    if case.elementwise and _free(case):
        yield from plainest(case, False)


def elementwise_pairs(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield the first sample of ops on two tensors whose shapes broadcast."""
    for trial in elementwise(case, exhaustive):
        if len(trial.sample.draws) == 2:
            yield trial


def with_special_values(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield elementwise ops in their floating dtypes."""
    for trial in elementwise(case, exhaustive):
        for dtype in case.dtypes:
            if dtypes.is_float(dtype) and len(trial.sample.draws) <= 2:
                yield replace(trial, dtype=dtype)


def promoting(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield the first sample of ops whose tensors all meet in one dtype."""
    operation = _operation(case)
    if operation is None or not _free(case) or len(case.samples[0].draws) < 2:
        return
    meeting = {
        i for kind in ("common", "inexact") for i in operation.positions.get(kind, ())
    }
    if meeting >= set(range(len(case.samples[0].args))):
        yield from plainest(case, False)


def with_axis(case: OpCase, exhaustive: bool) -> Iterator[Trial]:
    """Yield the first sample that says an axis by a whole number."""
    for sample in case.samples:
        trial = Trial(case, sample, case.dtypes[0])
        if trial.axis_place is not None:
            yield trial
            if not exhaustive:
                return
