"""Eager against compiled on each backend that compiles."""

from __future__ import annotations

import numpy as np

import polykeras as keras
from polykeras import layers
from polykeras.backend import get_backend
from polykeras.compare._compiled import CompiledEngine
from tests.compare._models import Faulty, convnet, mlp


def test_compiled_models_agree_with_eager_ones(backend):
    engines = [backend.name, f"{backend.name}:compiled"]
    report = keras.compare(mlp(dropout=0.5), backends=engines, steps=0)
    assert report.consistent, str(report)
    names = [i.name for i in report.layers if i.engine == engines[1]]
    assert names == 2 * ["mlp/first", "mlp/dropout", "mlp/second", "mlp"]


def test_compiled_steps_are_followed():
    report = keras.compare(mlp(dropout=0.5), backends=["numpy:compiled"], steps=2)
    assert report.consistent, str(report)
    assert len(report.of_kind("update")) == len(report.gradients) == 4
    assert len(report.of_kind("loss")) == 2


def test_gradients_of_compiled_steps_are_compared(backend):
    report = keras.compare(mlp(dropout=0.5), backends=[f"{backend.name}:compiled"])
    assert [i.verdict for i in report.gradients] == 4 * ["rounding"]


def test_loops_are_compared_as_a_whole():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((4, 3)), layers.RNN(layers.SimpleRNNCell(2), name="rnn")],
        name="m",
    )
    report = keras.compare(model, backends=["numpy:compiled"], steps=0)
    assert {i.name for i in report.layers} == {"m/rnn", "m"}
    assert report.consistent


def test_a_compiler_that_loses_a_layer_is_found():
    class Lossy(Faulty):
        """Compiled programs give twice what they should."""

        def compile(self, fn, *, donate=()):
            return lambda *args: keras.tree.map_structure(lambda y: 2 * y, fn(*args))

    engine = get_backend(Lossy({}))
    report = keras.compare(convnet(), backends=[engine, CompiledEngine(engine)])
    first = report.first_divergence
    assert (first.engine, first.name) == ("faulty:compiled", "convnet/conv")
    assert all(i.consistent for i in report.items if i.engine == "faulty")
    assert np.isfinite(first.error.max_abs)
    wrong = {i.name for i in report.gradients if i.verdict == "wrong"}
    assert "convnet/top/kernel" in wrong
