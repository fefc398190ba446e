"""Completeness: every op has a case, and every case an op."""

from __future__ import annotations

from typing import Final

import pytest

import polykeras.random  # noqa: F401 declares the ops of dropout
from polykeras import ops
from polykeras.conformance.cases import all_cases
from polykeras.ops._registry import REGISTRY

OTHER: Final = {
    # They look at a tensor and return none, or hand it to NumPy: "contract" and
    # "interchange" check these.
    "convert_to_numpy",
    "dtype",
    "is_tensor",
    "ndim",
    "shape",
    "size",
    # They take functions and give functions or pairs: "control_flow" and the tests of
    # derivatives call them.
    "custom_gradient",
    "jvp",
    # Other modules' names.
    "image",
    "linalg",
    "numpy",
    "nn",
}
# Steps of recurrences with their own derivatives: the cases of `lstm`, `gru` and
# `simple_rnn` reach each of them, forward and backward.
WITHIN: Final = {
    "broadcast_map",
    "gru_steps",
    "gru_steps_grad",
    "lstm_steps",
    "lstm_steps_grad",
    "rnn_steps",
    "rnn_steps_grad",
}
# Draws a field of shifts from a seed; its parts have cases, its seed a test.
SEEDED: Final = {"elastic_transform"}

PUBLIC: Final = sorted({*ops.__all__, *ops.image.__all__, *REGISTRY})


def _name(case: str) -> str:
    return case.removeprefix("image.")


@pytest.mark.parametrize("name", PUBLIC)
def test_every_op_has_a_case(name: str) -> None:
    if name in OTHER | WITHIN | SEEDED:
        return
    assert name in set(map(_name, all_cases())), (
        f"The op {name!r} has no case. Add one to polykeras/conformance/cases."
    )


@pytest.mark.parametrize("case", sorted(all_cases()))
def test_every_case_has_an_op(case: str) -> None:
    assert _name(case) in set(PUBLIC)
