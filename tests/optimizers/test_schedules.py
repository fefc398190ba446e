"""Schedules against closed forms, on every backend."""

import json
import math

import numpy as np
import pytest

from polykeras import ops
from polykeras.errors import ArgumentError
from polykeras.optimizers import schedules as s

STEPS = [0, 1, 4, 9, 10, 11, 29, 30, 31, 69, 70, 100, 149, 150, 1000]


def cosine(fraction, alpha=0.0):
    return (1 - alpha) * 0.5 * (1 + math.cos(math.pi * fraction)) + alpha


def warm(step):
    if step < 10:
        return 0.1 + (1.0 - 0.1) * step / 10
    return 1.0 * cosine(min(step - 10, 50) / 50, 0.2)


def restarts(step, first, ratio, shrink, alpha):
    length, start, i = first, 0.0, 0
    while step >= start + length:
        start, length, i = start + length, length * ratio, i + 1
    falling = shrink**i * cosine((step - start) / length, 0.0)
    return 0.5 * ((1 - alpha) * falling + alpha)


def polynomial(step, cycle, power):
    span = 30 * max(1, math.ceil(step / 30)) if cycle else 30
    done = step if cycle else min(step, 30)
    return (0.5 - 0.1) * (1 - done / span) ** power + 0.1


CASES = {
    "exponential": (
        s.ExponentialDecay(0.5, 10, 0.9),
        lambda t: 0.5 * 0.9 ** (t / 10),
    ),
    "exponential_stairs": (
        s.ExponentialDecay(0.5, 10, 0.9, staircase=True),
        lambda t: 0.5 * 0.9 ** (t // 10),
    ),
    "inverse": (s.InverseTimeDecay(0.5, 10, 0.9), lambda t: 0.5 / (1 + 0.9 * t / 10)),
    "inverse_stairs": (
        s.InverseTimeDecay(0.5, 10, 0.9, staircase=True),
        lambda t: 0.5 / (1 + 0.9 * (t // 10)),
    ),
    "piecewise": (
        s.PiecewiseConstantDecay([10, 30], [1.0, 0.5, 0.1]),
        lambda t: 1.0 if t <= 10 else 0.5 if t <= 30 else 0.1,
    ),
    "linear": (s.PolynomialDecay(0.5, 30, 0.1), lambda t: polynomial(t, False, 1)),
    "polynomial": (
        s.PolynomialDecay(0.5, 30, 0.1, power=2.5),
        lambda t: polynomial(t, False, 2.5),
    ),
    "polynomial_cycle": (
        s.PolynomialDecay(0.5, 30, 0.1, power=2.0, cycle=True),
        lambda t: polynomial(t, True, 2.0),
    ),
    "cosine": (
        s.CosineDecay(0.5, 30, 0.2),
        lambda t: 0.5 * cosine(min(t, 30) / 30, 0.2),
    ),
    "cosine_warm": (
        s.CosineDecay(0.1, 50, 0.2, warmup_target=1.0, warmup_steps=10),
        warm,
    ),
    "restarts": (
        s.CosineDecayRestarts(0.5, 10),
        lambda t: restarts(t, 10, 2.0, 1.0, 0.0),
    ),
    "restarts_shrink": (
        s.CosineDecayRestarts(0.5, 10, 1.5, 0.9, 0.1),
        lambda t: restarts(t, 10, 1.5, 0.9, 0.1),
    ),
    "restarts_even": (
        s.CosineDecayRestarts(0.5, 10, 1.0, 0.9, 0.1),
        lambda t: restarts(t, 10, 1.0, 0.9, 0.1),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_value(backend, name):
    schedule, formula = CASES[name]
    found = [schedule(ops.convert_to_tensor(t)) for t in STEPS]
    assert {ops.dtype(x) for x in found} == {"float32"}
    assert {tuple(x.shape) for x in found} == {()}
    expected = [formula(t) for t in STEPS]
    # The error of step / decay_steps is carried into a power by the exponent
    # (at most 100) and is absolute where the cosine nears its end.
    eps = np.finfo(np.float32).eps
    np.testing.assert_allclose(
        [float(x) for x in found], expected, rtol=100 * eps, atol=2 * eps
    )


def test_compiled_equals_eager(backend):
    schedule = CASES["restarts_shrink"][0]
    step = ops.convert_to_tensor(31)
    compiled = backend.compile(schedule.__call__)
    assert float(compiled(step)) == pytest.approx(float(schedule(step)), rel=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_config_round_trip(name):
    schedule = CASES[name][0]
    again = s.deserialize(json.loads(json.dumps(s.serialize(schedule))))
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()


@pytest.mark.parametrize(
    "call, part",
    [
        (lambda: s.ExponentialDecay(1.0, 0, 0.5), "decay_steps"),
        (lambda: s.PiecewiseConstantDecay([1, 2], [1.0, 2.0]), "one value more"),
        (lambda: s.CosineDecayRestarts(1.0, 10, 0.5), "t_mul"),
        (lambda: s.deserialize({"class_name": "CosinDecay", "config": {}}), "Cosine"),
    ],
)
def test_wrong_arguments_are_named(call, part):
    with pytest.raises(ArgumentError, match=part):
        call()
