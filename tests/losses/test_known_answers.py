"""Losses give the numbers that Keras gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from polykeras import losses, ops
from polykeras.backend import use_backend

ANSWERS = json.loads(Path(__file__).with_name("known_answers.json").read_text())
CASES = ANSWERS["cases"]


def _array(name):
    if name is None:
        return None
    dtype = "int32" if name in ANSWERS["integers"] else "float32"
    return np.array(ANSWERS["data"][name], dtype)


def _label(case):
    options = "-".join(f"{k}={v}" for k, v in case["config"].items())
    return f"{case['name']}-{case['y_true']}-{case['weight']}-{options}"


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_value(backend, case):
    loss = getattr(losses, case["name"])(**case["config"])
    value = loss(*(_array(case[k]) for k in ("y_true", "y_pred", "weight")))
    expected = np.array(case["value"])
    # Some 50 rounded operations on numbers near 1, cancellation included.
    scale = 1 + np.abs(expected).max()
    assert tuple(value.shape) == expected.shape
    np.testing.assert_allclose(
        ops.convert_to_numpy(value), expected, rtol=0, atol=64 * 2**-23 * scale
    )


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_config_round_trip(case):
    with use_backend("numpy"):
        loss = getattr(losses, case["name"])(**case["config"])
        again = losses.deserialize(losses.serialize(loss))
        assert type(again) is type(loss)
        assert again.get_config() == loss.get_config()
        args = [_array(case[k]) for k in ("y_true", "y_pred", "weight")]
        np.testing.assert_array_equal(again(*args), loss(*args))


def test_every_class_is_covered():
    covered = {case["name"] for case in CASES}
    classes = {
        name for name in losses.__all__ if isinstance(getattr(losses, name), type)
    }
    assert classes - covered == {"Loss", "LossFunctionWrapper"}
