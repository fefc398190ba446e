"""We answer what Keras 3.15.1 answers: outputs, gradients, metrics, trajectories.

The cases are in `tables`, the answers in `answers`, written by `record.py`. In 64 bits
the reference must have the same formula, to the last constant; in 32 bits every
backend must be within rounding of it, and give Keras' shapes and dtypes.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from operator import attrgetter
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import REFERENCE, get_backend, use_backend
from polykeras.errors import PolykerasError
from tests.peer import _answers
from tests.peer._bounds import excess
from tests.peer._play import play
from tests.peer.exceptions import NOT_ASKED, ROUNDED, is_rounded
from tests.peer.tables import GROUPS, table
from tests.surface._compare import API

CASES = [(group, case) for group in GROUPS for case in table(group)]
# The cases of one name are one test.
NAMES = list(dict.fromkeys((group, case.name) for group, case in CASES))


@functools.cache
def answers(group: str) -> dict[str, _answers.Answer]:
    return _answers.read(_answers.path_of(group))


def gradients(loss: Any, values: list[Any]) -> list[Any]:
    return list(keras.grad(loss, argnums=tuple(range(len(values))))(*values))


def check(group: str, case: Any, precision: str) -> None:
    found = play(keras, case, precision, gradients)
    wanted = dict(answers(group)[str(case)])
    engine = wanted.pop("by")[1]
    if not case.gradient:
        wanted = {k: v for k, v in wanted.items() if not k.startswith("g")}
    assert list(found) == list(wanted)
    size = sum(np.size(v) for k, (_, v) in wanted.items() if k.startswith("y"))
    bound = "float32" if engine == "jax" or is_rounded(case) else precision
    for key, value in found.items():
        dtype, expected = wanted[key]
        if isinstance(expected, str):
            assert value == expected or precision == "float64"
            continue
        if precision == "float32":
            assert value.dtype.name == dtype, key
        assert value.shape == expected.shape, key
        far = excess(case, key, value, expected, bound, size)
        assert far <= 1, f"{key} is {far:.3g} bounds off\n{value}\n{expected}"


def check_all(group: str, name: str, precision: str, few: bool = False) -> None:
    """Check the cases of a name, or a few: the outputs of the first alone."""
    failed = {}
    cases = [case for case in table(group) if case.name == name]
    for case in [replace(cases[0], gradient=False)] if few else cases:
        try:
            check(group, case, precision)
        except (AssertionError, PolykerasError) as error:
            failed[str(case)] = error
    assert not failed, "\n".join(f"{c}: {e}" for c, e in failed.items())


@pytest.mark.parametrize("group", GROUPS)
def test_answers_are_those_of_the_cases(group):
    assert list(answers(group)) == [str(case) for case in table(group)]


@pytest.mark.parametrize(("group", "name"), NAMES)
def test_the_formula_is_that_of_keras(group, name):
    with use_backend(get_backend(REFERENCE)):
        check_all(group, name, "float64")


def compiles_each_op(backend):
    return backend.capabilities.compile and not backend.capabilities.eager


@pytest.mark.parametrize(("group", "name"), NAMES)
def test_every_backend_answers_as_keras(backend, group, name):
    # All cases take minutes where each op of each shape is compiled.
    check_all(group, name, "float32", few=compiles_each_op(backend))


SPACES = [
    "activations",
    "constraints",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "ops",
    "ops.image",
    "ops.linalg",
    "ops.nn",
    "ops.numpy",
    "optimizers",
    "optimizers.schedules",
    "regularizers",
]


def names_of_tiers_1_and_2():
    return {
        f"{space}.{name}"
        for space in SPACES
        for name, (tier, _) in API["names"][f"keras.{space}"].items()
        if tier < 3
    }


def test_every_name_of_tiers_1_and_2_is_asked():
    asked = {n for _, case in CASES for n in (case.name, *case.covers)}
    # An alias is asked with what it names.
    objects = {id(attrgetter(name)(keras)) for name in asked}
    missing = {
        name
        for name in names_of_tiers_1_and_2()
        if id(attrgetter(name)(keras)) not in objects
    }
    excused = {n for n in missing if n in NOT_ASKED or n.split(".")[-1] in NOT_ASKED}
    assert missing == excused
    used = {n if n in NOT_ASKED else n.split(".")[-1] for n in excused}
    assert used == set(NOT_ASKED), "remove the reasons that nothing needs"


@pytest.mark.parametrize("prefix", ROUNDED)
def test_keras_does_round(prefix):
    """What is said to be rounded to 32 bits is not equal in 64."""
    for group, case in CASES:
        if str(case).startswith(prefix):
            with use_backend(get_backend(REFERENCE)):
                found = play(keras, case, "float64", gradients)
            wanted = answers(group)[str(case)]
            if any(
                excess(case, key, value, wanted[key][1], "float64") > 1
                for key, value in found.items()
            ):
                return
    pytest.fail(f"no case of {prefix} differs in 64 bits")
