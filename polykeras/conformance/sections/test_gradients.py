"""Gradients: right to the order the case states, in every dtype, through views.

Each op's plainest gradient is computed eagerly and the others in compiled functions, as
training does: both ways are held to the same bounds. Where a library runs well only
compiled, the eager ones are those of the primitives, of which the others are composed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import dtypes, ops, tree
from polykeras.autodiff import vjp
from polykeras.backend import Array, Backend
from polykeras.conformance._case import Trial
from polykeras.conformance._derivatives import (
    Function,
    check_gradients_of,
    library_derivatives,
)
from polykeras.conformance._programs import compiles
from polykeras.conformance._trials import (
    differentiable_dtypes,
    first_differentiable,
    second_differentiable,
    twice_differentiable,
)


def _function(trial: Trial) -> tuple[Callable[[], Function], list[Array]]:
    """Return what makes the function of the tensors that are differentiated."""
    arrays = trial.values()
    wrt = trial.differentiated

    def make() -> Function:
        tensors = trial.tensors()

        def fn(*at: Any) -> list[Any]:
            full = list(tensors)
            for i, p in zip(wrt, at, strict=True):
                full[i] = p
            return trial.run(full)

        return fn

    return make, [arrays[i] for i in wrt]


@pytest.mark.trials(of=first_differentiable)
def test_gradients(backend: Backend, trial: Trial) -> None:
    make, points = _function(trial)
    check_gradients_of(
        make,
        points,
        tolerance=trial.case.slope_tolerance,
        what=str(trial),
        compiled=trial.case.compiled and not _eagerly(backend, trial),
        found=_of_one_program(backend, trial, 1),
    )


def _eagerly(backend: Backend, trial: Trial) -> bool:
    plainest = trial.sample is trial.case.samples[0]
    return plainest and (trial.case.is_primitive or not compiles(backend))


@pytest.mark.trials(of=twice_differentiable)
def test_second_order(backend: Backend, trial: Trial) -> None:
    make, points = _function(trial)
    check_gradients_of(
        make,
        points,
        trial.case.gradient,
        tolerance=trial.case.slope_tolerance,
        what=str(trial),
        compiled=trial.case.compiled,
        found=_of_one_program(backend, trial, trial.case.gradient),
    )


def _of_one_program(backend: Backend, trial: Trial, order: int) -> list[Array] | None:
    """Return derivatives from the program that the checks of all orders share."""
    compiled = compiles(backend) and trial.case.compiled
    native = backend.capabilities.autodiff == "native"
    if not (compiled and native) or _eagerly(backend, trial):
        return None
    found = _of_every_order(backend, trial)
    return found and found[: order * len(trial.differentiated)]


@lru_cache(maxsize=2)
def _of_every_order(backend: Backend, trial: Trial) -> list[Array] | None:
    make, points = _function(trial)
    try:
        return library_derivatives(make, points, trial.case.gradient, compiled=True)
    except Exception:  # whose it is shows where each order is asked for alone
        return None


@pytest.mark.trials(of=second_differentiable)
def test_through_indexing_and_broadcasting(backend: Backend, trial: Trial) -> None:
    """Of another sample than the plainest, where there is one."""
    make, points = _function(trial)

    def through() -> Function:
        fn = make()

        def of_views(*at: Any) -> list[Any]:
            twice = [ops.broadcast_to(x, (2, *x.shape)) for x in at]
            return fn(*(ops.get_item(x, 1) for x in twice))

        return of_views

    check_gradients_of(
        through,
        points,
        tolerance=trial.case.slope_tolerance,
        what=f"{trial} of entries of broadcast tensors",
        compiled=trial.case.compiled,
    )


def test_checkpoints_differentiate_what_their_functions_hold(backend: Backend) -> None:
    v = keras.Variable([1.0, 2.0])
    x = ops.array([3.0, 4.0])
    square = keras.checkpoint(lambda x: ops.square(v * x))
    (gradient,) = keras.grad(lambda: ops.sum(square(x)), [v])()
    np.testing.assert_array_equal(ops.convert_to_numpy(gradient), [18.0, 64.0])


@pytest.mark.trials(of=differentiable_dtypes)
def test_dtype(backend: Backend, trial: Trial) -> None:
    make, points = _function(trial)
    fn = make()

    def derivative(*at: Any) -> tuple[list[Any], list[Any]]:
        outputs, pullback = vjp(fn, *at)
        ones = [
            ops.ones_like(o)
            if dtypes.is_inexact(backend.dtype_name(o))
            else ops.zeros_like(o)
            for o in outputs
        ]
        return outputs, tree.flatten(pullback(ones))

    run = backend.compile(derivative) if trial.case.compiled else derivative
    outputs, gradients = run(*map(backend.convert_to_tensor, points))
    finite = all(np.isfinite(backend.to_numpy(o)).all() for o in outputs)
    for point, gradient in zip(points, gradients, strict=True):
        name = backend.dtype_name(gradient)
        assert name == trial.dtype, (
            f"{trial}: the gradient has dtype {name}, expected {trial.dtype}"
        )
        found = backend.to_numpy(gradient)
        assert found.shape == point.shape, (
            f"{trial}: the gradient has shape {found.shape}, expected {point.shape}"
        )
        assert not finite or np.isfinite(found.astype(np.float64)).all(), (
            f"{trial}: the gradient is not finite: {found}"
        )
