from __future__ import annotations

import math

import numpy as np
import pytest

from polykeras import metrics, ops
from polykeras.errors import ArgumentError


def test_mean_and_sum(backend):
    mean, total = metrics.Mean(), metrics.Sum()
    for batch, weight in (([1.0, 3.0], None), ([[5.0, 7.0]], [0.5])):
        mean.update_state(batch, weight)
        total.update_state(batch, weight)
    # The weight of a row counts its mean once: (1 + 3 + 0.5 * 6) / 2.5.
    assert float(mean.result()) == pytest.approx(2.8)
    assert float(total.result()) == pytest.approx(10.0)
    mean.reset_state()
    assert float(mean.result()) == 0.0


def test_without_state(backend):
    metric = metrics.Mean()
    start = metric.stateless_reset_state()
    after = metric.stateless_update_state(start, [2.0, 4.0])
    assert float(metric.stateless_result(after)) == 3.0
    assert float(metric.result()) == 0.0


def test_compiled_update(backend):
    metric = metrics.AUC(num_thresholds=20)
    rng = np.random.default_rng(0)
    y, p = (rng.random(40) > 0.5).astype("float32"), rng.random(40, "float32")
    update = backend.compile(metric.stateless_update_state)
    start = [v.value for v in metric.variables]
    new = update(start, ops.convert_to_tensor(y), ops.convert_to_tensor(p))
    metric.update_state(y, p)
    assert float(metric.stateless_result(new)) == pytest.approx(float(metric.result()))


def test_a_wrong_number_of_values(backend):
    with pytest.raises(ArgumentError, match="has 2 variables, but 1"):
        metrics.Mean().stateless_result([ops.zeros(())])


@pytest.mark.parametrize("name", sorted(metrics._BY_NAME))
def test_every_string(name):
    needs = {
        "IoU",
        "MeanIoU",
        "MeanMetricWrapper",
        "OneHotIoU",
        "OneHotMeanIoU",
        "PrecisionAtRecall",
        "RecallAtPrecision",
        "SensitivityAtSpecificity",
        "SpecificityAtSensitivity",
    }
    if metrics._BY_NAME[name].__name__ in needs:
        with pytest.raises(ArgumentError, match="cannot be chosen by name alone"):
            metrics.get(name)
    else:
        assert isinstance(metrics.get(name), metrics.Metric)


def test_unknown_string():
    with pytest.raises(ArgumentError, match="Did you mean"):
        metrics.get("acuracy")


def test_gain_curve_of_perfect_predictions(backend):
    metric = metrics.AUC(curve="PRGAIN", num_thresholds=5)
    metric.update_state([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert 0.0 <= float(metric.result()) <= 1.0


def test_inner_metrics_are_found(backend):
    class Both(metrics.Metric):
        def __init__(self):
            super().__init__()
            self.parts = [metrics.Mean(), metrics.Sum()]

    metric = Both()
    assert len(metric.variables) == 3
    metric.parts[1].update_state([4.0])
    metric.reset_state()
    assert float(metric.parts[1].result()) == 0.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: metrics.Precision(thresholds=1.5),
        lambda: metrics.AUC(curve="XY"),
        lambda: metrics.F1Score(average="all"),
        lambda: metrics.IoU(2, [3]),
        lambda: metrics.PrecisionAtRecall(2.0),
        lambda: metrics.BinaryAccuracy(threshold=1.0),
        lambda: metrics.R2Score(num_regressors=-1),
    ],
)
def test_bad_arguments(make):
    with pytest.raises(ArgumentError):
        make()


def test_weights_of_an_ignored_class_do_not_count(backend):
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=0)
    y_pred = np.array([[0.5, 0.5], [0.25, 0.75]], "float32")
    metric.update_state([0, 1], y_pred, sample_weight=[3.0, 2.0])
    assert float(metric.result()) == pytest.approx(-math.log(0.75), rel=1e-6)
