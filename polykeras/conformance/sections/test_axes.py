"""Axes and broadcasting: counted from either end, checked, and sizes of 1 stretched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import pytest

from polykeras import tree
from polykeras.backend import REFERENCE, Array, Backend, use_backend
from polykeras.conformance._case import Trial
from polykeras.conformance._checks import check_same, check_trial
from polykeras.conformance._programs import compiles, run_among
from polykeras.conformance._trials import elementwise_pairs, with_axis

_MOST: Final = 8


def _fails(trial: Trial, axis: int) -> Exception | None:
    try:
        _with(trial, axis, trial.tensors())
    except Exception as error:  # whatever it is, it is compared
        return error
    return None


def _with(trial: Trial, axis: int, tensors: Sequence[Any]) -> list[Any]:
    args, kwargs = trial.sample.filled(tensors)
    place = trial.axis_place
    assert place is not None
    if place < len(args):
        args = (*args[:place], axis, *args[place + 1 :])
        return tree.flatten(trial.case.fn(*args, **kwargs))
    return tree.flatten(trial.case.fn(*args, **{**kwargs, "axis": axis}))


@pytest.mark.trials(of=with_axis)
def test_axes(backend: Backend, trial: Trial) -> None:
    """Axis ``-k`` is axis ``rank - k``, and no other axis is accepted."""
    with use_backend(REFERENCE):
        good = [a for a in range(-_MOST, _MOST) if _fails(trial, a) is None]
        past = (min(good) - 1, max(good) + 1)
        expected = {a: str(_fails(trial, a)) for a in past}
    rank = -min(good)
    axes = [a for a in good if a >= 0 and a - rank in good]

    def along(tensors: list[Any]) -> list[list[list[Any]]]:
        return [[_with(trial, x, tensors) for x in (a, a - rank)] for a in axes]

    compiled = trial.case.compiled and compiles(backend)
    run = backend.compile(along) if compiled else along
    for axis, results in zip(axes, run(trial.tensors()), strict=True):
        found, again = ([backend.to_numpy(x) for x in xs] for xs in results)
        check_same(again, found, f"{trial}: axis {axis - rank} as axis {axis}")
    for axis in past:
        error = _fails(trial, axis)
        assert error is not None, f"{trial}: axis {axis} was accepted, of rank {rank}"
        assert str(error) == expected[axis], (
            f"{trial}: axis {axis}: the message is {error}, expected {expected[axis]}"
        )


Shapes: TypeAlias = tuple[tuple[int, ...], ...]
PAIRS: Final[tuple[Shapes, ...]] = (
    ((2, 3), ()),
    ((), (2, 3)),
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((4, 1, 3), (2, 1)),
    ((1, 1), (2, 3)),
    ((0, 3), (1, 3)),
    ((0, 1), (3,)),
)


@pytest.mark.parametrize(
    "shapes", PAIRS, ids=lambda s: ",".join("x".join(map(str, x)) or "()" for x in s)
)
@pytest.mark.trials(of=elementwise_pairs)
def test_broadcasting(backend: Backend, trial: Trial, shapes: Shapes) -> None:
    forms = [(trial, other) for other in PAIRS]
    results = run_among((trial, shapes), forms, _resized)
    _, values = _resized((trial, shapes))
    check_trial(backend, trial, results, values=values, what=f"shapes {shapes}")


def _resized(form: tuple[Trial, Shapes]) -> tuple[Trial, list[Array]]:
    trial, shapes = form
    values = zip(trial.values(), shapes, strict=True)
    return trial, [np.resize(x, shape) for x, shape in values]
