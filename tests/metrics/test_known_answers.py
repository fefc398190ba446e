"""Metrics give the numbers that Keras gives, over two batches."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from polykeras import metrics, ops
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


def _halves(case):
    arrays = [_array(case[k]) for k in ("y_true", "y_pred", "weight")]
    half = len(arrays[0]) // 2
    for part in (slice(0, half), slice(half, None)):
        yield [None if x is None else x[part] for x in arrays]


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_value(backend, case):
    metric = getattr(metrics, case["name"])(**case["config"])
    for batch in _halves(case):
        metric.update_state(*batch)
    expected = np.array(case["value"])
    scale = 1 + np.abs(expected).max()
    # Sums of up to 50 rounded numbers near 1.
    np.testing.assert_allclose(
        ops.convert_to_numpy(metric.result()),
        expected,
        rtol=0,
        atol=64 * 2**-23 * scale,
    )


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_config_round_trip(case):
    with use_backend("numpy"):
        metric = getattr(metrics, case["name"])(**case["config"])
        again = metrics.deserialize(metrics.serialize(metric))
        assert type(again) is type(metric)
        assert again.get_config() == metric.get_config()


def test_every_class_is_covered():
    covered = {case["name"] for case in CASES}
    classes = {
        name for name in metrics.__all__ if isinstance(getattr(metrics, name), type)
    }
    assert classes - covered == {"Metric", "Mean", "MeanMetricWrapper", "Sum"}
