"""Which passes through the model a comparison makes."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.autodiff._tape import TapeTensor
from polykeras.backend import active, get_backend, installed_backends
from polykeras.compare._watchers import depends_on_mode, sees_values
from tests.compare._models import batch, convnet, mlp


class Reads(layers.Layer):
    def call(self, x, training=False):
        return ops.where(bool(training), x, 2 * x)


class ReadsInside(layers.Layer):
    def call(self, x, training=False):
        return keras.tree.map_structure(lambda part: part if training else -part, x)


class Ignores(layers.Layer):
    def call(self, x, training=False):
        return 2 * x


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Dense(2), False),
        (layers.EinsumDense("ab,bc->ac", 2), False),
        (layers.Activation("relu"), False),
        (layers.Dropout(0.5), True),
        (layers.BatchNormalization(), True),
        (layers.LSTM(2), True),
        (Reads(), True),
        (ReadsInside(), True),
        (Ignores(), False),
    ],
    ids=lambda value: value.name if isinstance(value, layers.Layer) else "",
)
def test_a_layer_depends_on_the_mode_if_its_code_reads_the_flag(layer, expected):
    assert depends_on_mode(layer) is expected


class Counting(layers.Layer):
    """Notes the engines that it runs on."""

    seen: ClassVar[Counter[str]] = Counter()

    def call(self, x):
        self.seen[active().name] += 1
        return ops.tanh(x)


def test_the_reference_runs_once_where_no_layer_depends_on_the_mode():
    model = keras.Sequential([keras.Input((3,)), Counting(), layers.Dense(2)])
    model.compile("sgd", "mse")
    Counting.seen.clear()
    report = keras.compare(model, batch(4, 3), batch(4, 2), backends=["numpy"])
    assert Counting.seen["numpy:float64"] == 1
    assert {item.mode for item in report.layers} == {"inference"}
    assert report.gradients


class Weighing(layers.Layer):
    """Notes on which engines its weight is a value, or is being differentiated."""

    seen: ClassVar[set[tuple[str, bool]]] = set()

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        w = self.w.value
        # The tape has tensors of its own, PyTorch marks its tensors.
        tracked = isinstance(w, TapeTensor) or getattr(w, "requires_grad", False)
        self.seen.add((active().name, tracked))
        return x * w


@pytest.mark.parametrize("engine", installed_backends())
def test_layers_run_alone_as_in_inference_and_otherwise_inside_the_step(engine):
    model = keras.Sequential([keras.Input((3,)), Weighing(), Counting()])
    model.compile("sgd", "mse")
    Weighing.seen.clear()
    Counting.seen.clear()
    report = keras.compare(model, batch(4, 3), batch(4, 3), backends=[engine])
    assert report.consistent, str(report)
    seen = {tracked for name, tracked in Weighing.seen if name == engine}
    if sees_values(get_backend(engine)):
        assert Counting.seen[engine] == 2
        assert seen == {False, True}
    else:
        # A pass for inference comes first, and the step is one of tracers.
        assert Counting.seen[engine] == 3
        assert seen == {False}


def test_layers_are_compared_in_both_modes_where_one_depends_on_it():
    modes = Counter(item.mode for item in keras.compare(convnet()).layers)
    assert modes["inference"] == modes["training"] > 0
    modes = Counter(item.mode for item in keras.compare(mlp()).layers)
    assert modes == {"inference": 3 * len(installed_backends())}


class Noisy(layers.Layer):
    """Draws whatever the mode is."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seeds = keras.random.SeedGenerator(7)

    def call(self, x):
        return x + keras.random.normal(ops.shape(x), seed=self.seeds)


class Unseeded(layers.Layer):
    """Draws from the stream of the step."""

    def call(self, x):
        return x + keras.random.normal(ops.shape(x))


@pytest.mark.parametrize("noise", [Noisy, Unseeded])
def test_layers_that_always_draw_draw_the_same_in_all_passes(noise):
    keras.utils.set_random_seed(0)
    stack = [keras.Input((3,)), noise(), layers.Dense(2)]
    model = keras.Sequential(stack)
    model.compile("sgd", "mse")
    model.fit(batch(8, 3), np.zeros((8, 2)), epochs=3, verbose=0)
    report = keras.compare(model, batch(4, 3))
    assert report.consistent, str(report)
