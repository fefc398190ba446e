"""Reports about Keras' backends, from files and dumps that Keras 3.15.1 wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

import polykeras as keras
from polykeras import saving
from polykeras.compare._dump import Dump, diff
from polykeras.compare._engines import engine_named
from polykeras.compare._run import Comparison
from polykeras.compare._sources import load_batch

DATA = Path(__file__).parent / "data"


def ours(name):
    model = saving.load_model(DATA / f"{name}.keras")
    x, _ = load_batch(DATA / f"{name}.npz")
    comparison = Comparison(model, x, None, "numpy:float64", 8, 0)
    return comparison.dump(engine_named("numpy"), 0)


def against(name, engine):
    report = diff(ours(name), Dump.read(DATA / f"{name}-keras-{engine}.pkd"))
    return report, {i.name: i.verdict for i in report.items if i.error is not None}


def test_average_pooling_of_keras_on_torch_counts_the_padding():
    report, verdicts = against("pooling", "torch")
    first = report.first_divergence
    assert (first.name, first.cls) == ("pooling/pool", "AveragePooling2D")
    assert verdicts["pooling/conv"] in ("identical bits", "rounding")
    assert verdicts["pooling/pool"] == "wrong"
    report, _ = against("pooling", "jax")
    assert report.consistent


def test_bicubic_upsampling_of_keras_on_torch_is_another_cubic():
    report, verdicts = against("upsampling", "torch")
    first = report.first_divergence
    assert (first.name, first.cls) == ("upsampling/up", "UpSampling2D")
    assert verdicts["upsampling/conv"] in ("identical bits", "rounding")
    report, _ = against("upsampling", "jax")
    assert report.consistent


@pytest.mark.parametrize("engine", ["torch", "jax"])
def test_the_dilated_convolution_differs_by_rounding(engine):
    report, verdicts = against("dilated", engine)
    assert report.consistent
    assert verdicts == {"dilated/conv": "rounding"}
    item = report.items[0]
    assert 0 < item.error.max_abs < item.bound


def test_our_backends_agree_on_the_files():
    for name in ("pooling", "upsampling", "dilated"):
        x, _ = load_batch(DATA / f"{name}.npz")
        model = saving.load_model(DATA / f"{name}.keras")
        assert keras.compare(model, x).consistent
