"""Losses, metrics and optimizers of the cases survive the way through their configs."""

from __future__ import annotations

import json

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import REFERENCE, get_backend, use_backend
from tests.peer.tables import table

SPACES = ("losses", "metrics", "optimizers")
# These are made inside of their cases.
BASES = {"losses.Loss", "metrics.MeanMetricWrapper", "optimizers.Optimizer"}
CASES = [
    case
    for space in SPACES
    for case in table(space)
    if case.name.partition(".")[2][0].isupper() and case.name not in BASES
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_config_round_trip(case):
    space, _, cls = case.name.partition(".")
    module = getattr(keras, space)
    with use_backend(get_backend(REFERENCE)):
        args, config = case.arguments(keras, case.arrays("float32"))
        made = getattr(module, cls)(**config)
        again = module.deserialize(json.loads(json.dumps(module.serialize(made))))
        assert type(again) is type(made)
        assert json.dumps(module.serialize(again)) == json.dumps(module.serialize(made))
        if space == "losses":
            y_true, y_pred, _ = args
            np.testing.assert_array_equal(again(y_true, y_pred), made(y_true, y_pred))


@pytest.mark.parametrize("space", SPACES)
def test_every_class_is_asked(space):
    asked = {case.name.partition(".")[2] for case in table(space)}
    module = getattr(keras, space)
    classes = {name for name in module.__all__ if isinstance(vars(module)[name], type)}
    left = {"LossFunctionWrapper", "Loss", "Metric", "schedules"}
    assert classes - asked - left == set()
