"""Optimizers take the steps that Keras takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from polykeras import optimizers
from polykeras.backend import use_backend
from polykeras.variables import Variable

ANSWERS = json.loads(Path(__file__).with_name("known_answers.json").read_text())
CASES = ANSWERS["cases"]
TARGET = np.array(ANSWERS["target"], "float32")
# Keras subtracts beta**step from 1 in float32, which costs five digits of the
# first step sizes; ours is exact. Everything else agrees to rounding.
CANCELLATION = {"Adam", "AdamW", "Lamb", "Muon"}


def _label(case):
    options = "-".join(f"{k}={v}" for k, v in case["config"].items())
    return f"{case['name']}-{options}"


def _gradients(kernel, bias, step):
    return [
        (2 * (kernel - TARGET) * np.float32(1 + 0.1 * step)).astype("float32"),
        (bias**3 + np.float32(0.1) * step).astype("float32"),
    ]


def _trajectory(case, optimizer, scope=None):
    kernel = Variable(np.array(ANSWERS["kernel"], "float32"), name="k")
    bias = Variable(np.array(ANSWERS["bias"], "float32"), name="b")
    for step in range(10):
        optimizer.apply(_gradients(kernel.numpy(), bias.numpy(), step), [kernel, bias])
    return kernel.numpy(), bias.numpy()


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_ten_steps(backend, case):
    optimizer = getattr(optimizers, case["name"])(**case["config"])
    kernel, bias = _trajectory(case, optimizer)
    bound = 2e-5 if case["name"] in CANCELLATION else 200 * 2**-23
    np.testing.assert_allclose(kernel, case["kernel"], rtol=0, atol=bound)
    np.testing.assert_allclose(bias, case["bias"], rtol=0, atol=bound)
    assert int(optimizer.iterations) == case["iterations"]


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_config_round_trip(case):
    with use_backend("numpy"):
        optimizer = getattr(optimizers, case["name"])(**case["config"])
        again = optimizers.deserialize(optimizers.serialize(optimizer))
        assert type(again) is type(optimizer)
        assert again.get_config() == optimizer.get_config()
