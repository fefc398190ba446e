"""Calls of ops as a run makes them: one by one, or in compiled functions.

Some libraries compile every operation that runs by itself, for each shape and dtype,
and run well only where whole functions are compiled (`Capabilities.eager`). With them
most calls are made as their users make them, and a program serves all sections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np

from polykeras.backend import Backend, active
from polykeras.conformance._case import Trial

__all__ = ["compiles", "is_wide", "run_among", "run_trial"]

T = TypeVar("T")
Call: TypeAlias = Callable[[T], tuple[Trial, Sequence[Any]]]
_WIDE: Final = frozenset({"float64", "int64", "uint64", "complex128"})


def compiles(backend: Backend) -> bool:
    """Return whether a library runs well only in compiled functions.

    Args:
        backend: The library.
    """
    return backend.capabilities.compile and not backend.capabilities.eager


def is_wide(names: Iterable[str]) -> bool:
    """Return whether a dtype has 64 bits, which some libraries have under a switch.

    Programs that leave the switch off and such that need it are kept apart.

    Args:
        names: Of dtypes.
    """
    return not _WIDE.isdisjoint(names)


def run_trial(trial: Trial, tensors: Sequence[Any]) -> list[Any]:
    """Return what `Trial.run` does, from a compiled function if the trial says so.

    Args:
        trial: The call.
        tensors: One for each placeholder.
    """
    if not trial.compiled:
        return trial.run(tensors)
    return list(_program(active(), replace(trial, seed=0))(list(tensors)))


# Sections run an op's trials one after another, a hundred at most.
@lru_cache(maxsize=128)
def _program(backend: Backend, trial: Trial) -> Callable[[list[Any]], list[Any]]:
    return backend.compile(trial.run)


def run_among(form: T, forms: Sequence[T], call: Call[T]) -> list[Any]:
    """Return the results of one of several calls of an op that are alike.

    Where a library runs well only compiled, one program makes them all.

    Args:
        form: Which call.
        forms: All of them, which have to be hashable.
        call: Gives a form's trial and, for its placeholders, arrays for tensors or
            Python's numbers. It is known by its identity, so it is no closure.
    """
    backend = active()
    if compiles(backend):
        found = _together(backend, tuple(forms), call)
        if found is not None:
            return found[form]
    trial, values = call(form)
    tensors = _tensors(backend, values)
    if trial.case.compiled and compiles(backend):
        return list(backend.compile(_with_numbers(trial, values))(tensors))
    return _with_numbers(trial, values)(tensors)


def _tensors(backend: Backend, values: Sequence[Any]) -> list[Any]:
    return [backend.convert_to_tensor(x) for x in values if isinstance(x, np.ndarray)]


def _with_numbers(
    trial: Trial, values: Sequence[Any]
) -> Callable[[Sequence[Any]], list[Any]]:
    """Return the call as a function of its tensors, which holds its numbers."""

    def run(tensors: Sequence[Any]) -> list[Any]:
        left = iter(tensors)
        return trial.run(
            [next(left) if isinstance(x, np.ndarray) else x for x in values]
        )

    return run


@lru_cache(maxsize=16)
def _together(
    backend: Backend, forms: tuple[Any, ...], call: Call[Any]
) -> dict[Any, list[Any]] | None:
    """Return the results of all forms, or None where they do not go together."""
    calls = [call(form) for form in forms]
    if not all(trial.case.compiled for trial, _ in calls):
        return None
    runs = [_with_numbers(trial, values) for trial, values in calls]

    def run(tensors: list[list[Any]]) -> list[list[Any]]:
        return [one(x) for one, x in zip(runs, tensors, strict=True)]

    tensors = [_tensors(backend, values) for _, values in calls]
    try:
        results = backend.compile(run)(tensors)
    except Exception:  # whose it is shows where each is called alone
        return None
    return {form: list(x) for form, x in zip(forms, results, strict=True)}
