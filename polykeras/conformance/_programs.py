"""Calls of ops as a run makes them: one by one, or in compiled functions.

Some libraries compile every operation that runs by itself, for each shape and dtype,
and run well only where whole functions are compiled (`Capabilities.eager`). With them
most calls are made as their users make them, and a program serves all sections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

from polykeras.backend import Array, Backend, active
from polykeras.conformance._case import Trial

__all__ = ["compiles", "run_among", "run_trial"]

T = TypeVar("T")
Call: TypeAlias = Callable[[T], tuple[Trial, list[Array]]]


def compiles(backend: Backend) -> bool:
    """Return whether a library runs well only in compiled functions.

    Args:
        backend: The library.
    """
    return backend.capabilities.compile and not backend.capabilities.eager


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
        call: Gives a form's trial and the values of its tensors. It is known by its
            identity, so it is no closure.
    """
    backend = active()
    if compiles(backend):
        found = _together(backend, tuple(forms), call)
        if found is not None:
            return found[form]
    trial, values = call(form)
    tensors = [backend.convert_to_tensor(x) for x in values]
    if trial.case.compiled and compiles(backend):
        return list(backend.compile(trial.run)(tensors))
    return trial.run(tensors)


@lru_cache(maxsize=16)
def _together(
    backend: Backend, forms: tuple[Any, ...], call: Call[Any]
) -> dict[Any, list[Any]] | None:
    """Return the results of all forms, or None where they do not go together."""
    calls = [call(form) for form in forms]
    if not all(trial.case.compiled for trial, _ in calls):
        return None

    def run(tensors: list[list[Any]]) -> list[list[Any]]:
        return [trial.run(x) for (trial, _), x in zip(calls, tensors, strict=True)]

    tensors = [[backend.convert_to_tensor(x) for x in values] for _, values in calls]
    try:
        results = backend.compile(run)(tensors)
    except Exception:  # whose it is shows where each is called alone
        return None
    return {form: list(x) for form, x in zip(forms, results, strict=True)}
