"""Gradients, updates and trajectories of training."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.backend import installed_backends
from polykeras.compare import engine_named
from polykeras.compare._training import Steps, nudged, relative_distance
from polykeras.compare._trajectories import TrainedReference
from tests.compare._models import Faulty, batch, convnet, mlp


def test_installed_backends_train_alike_up_to_rounding():
    report = keras.compare(convnet(), steps=5)
    assert report.consistent, str(report)
    for engine in installed_backends():
        weights = [i.name for i in report.gradients if i.engine == engine]
        assert weights == [
            "convnet/conv/kernel",
            "convnet/conv/bias",
            "convnet/norm/gamma",
            "convnet/norm/beta",
            "convnet/top/kernel",
            "convnet/top/bias",
        ]
        moved = {i.name for i in report.of_kind("update") if i.engine == engine}
        assert moved == {
            *weights,
            "convnet/norm/moving_mean",
            "convnet/norm/moving_variance",
        }
        losses = [i for i in report.of_kind("loss") if i.engine == engine]
        assert [i.name for i in losses] == [f"step {n}" for n in range(1, 6)]
    for track in report.trajectory:
        assert track.parted is None
        assert len(track.distances) == len(track.yardstick) == 5
        assert 0 < track.distances[-1] <= track.bounds[-1]
        assert 0 <= track.explained <= 1


def test_longer_steps_are_wrong_updates_but_right_gradients():
    wrong = Faulty({"sgd_update": _longer})
    report = keras.compare(mlp(), backends=[wrong, "numpy"], steps=3)
    assert all(item.consistent for item in report.gradients)
    blamed = {(i.engine, i.name) for i in report.of_kind("update") if not i.consistent}
    assert blamed == {
        ("faulty", f"mlp/{layer}/{weight}")
        for layer in ("first", "second")
        for weight in ("kernel", "bias")
    }
    parted = {track.engine: track.parted for track in report.trajectory}
    assert parted == {"faulty": 1, "numpy": None}
    assert "parts at step 1" in str(report)


def _longer(right, params, grads, rate, *rest):
    return right(params, grads, rate * 1.001, *rest)


def test_models_that_are_not_compiled_train_on_squares():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="d")], name="m")
    assert keras.compare(model, backends=["numpy"]).gradients == []
    report = keras.compare(model, backends=["numpy"], steps=2)
    assert [i.name for i in report.gradients] == ["m/d/kernel", "m/d/bias"]
    assert report.consistent
    assert not model.compiled


class Subclassed(keras.Model):
    """A model that is code, whose shapes are inferred anew for each step."""

    def __init__(self):
        super().__init__(name="code")
        self.drop = layers.Dropout(0.2, name="drop")
        self.top = layers.Dense(2, name="top")

    def call(self, x, training=False):
        return self.top(self.drop(keras.ops.tanh(x), training=training))


def test_layers_of_subclassed_models_are_compared_in_the_step():
    keras.utils.set_random_seed(0)
    model = Subclassed()
    model.compile("sgd", "mse")
    report = keras.compare(model, batch(8, 3))
    assert report.consistent
    for engine in installed_backends():
        found = [(i.name, i.mode) for i in report.layers if i.engine == engine]
        names = ("code/drop", "code/top", "code")
        assert found == [(n, m) for m in ("inference", "training") for n in names]


class Penalized(keras.Model):
    """A model with a training step and two optimizers of its own."""

    def __init__(self):
        super().__init__(name="penalized")
        self.top = layers.Dense(1, name="top")
        self.bottom = layers.Dense(4, name="bottom")

    def compile(self, first, second):
        super().compile()
        self.first, self.second = first, second

    def call(self, x):
        return self.top(self.bottom(x))

    def train_step(self, data):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)

        def loss():
            return keras.ops.mean((self(x) - y) ** 2)

        value, grads = keras.value_and_grad(loss, self.top.trainable_variables)()
        self.first.apply(grads, self.top.trainable_variables)
        grads = keras.grad(loss, self.bottom.trainable_variables)()
        self.second.apply(grads, self.bottom.trainable_variables)
        return {"loss": value}


def test_own_training_steps_with_several_optimizers_are_followed():
    keras.utils.set_random_seed(0)
    model = Penalized()
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.Adam(0.01))
    x, y = batch(8, 3), batch(8, 1, seed=1)
    report = keras.compare(model, x, y, backends=["numpy"], steps=2)
    assert {i.name for i in report.gradients} == {
        f"penalized/{layer}/{weight}"
        for layer in ("top", "bottom")
        for weight in ("kernel", "bias")
    }
    assert report.consistent


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "mae"])
def test_targets_are_drawn_to_fit_the_loss(loss):
    model = mlp()
    model.compile("sgd", loss)
    assert keras.compare(model, backends=["numpy"]).consistent


def test_a_nudge_moves_every_weight_by_one_unit():
    model = mlp()
    before = model.get_weights()
    nudged(model, 0)
    kernel = model.get_weights()[0]
    assert np.all(kernel != before[0])
    np.testing.assert_allclose(kernel, before[0], rtol=2.0**-22)
    assert 0 < relative_distance(model.get_weights(), before) < 2.0**-22
    assert relative_distance(before, before) == 0


@pytest.mark.parametrize("seed", [1, 8, 10, 12])
def test_updates_by_gradients_that_are_rounding_alone_are_rounding(seed):
    # The bias before a normalization has no gradient, and float16 no square of what
    # rounding makes of it: Adam divides by epsilon.
    report = keras.compare(convnet(), backends=["numpy:float16"], seed=seed)
    assert report.consistent, str(report)


@pytest.mark.parametrize(("optimizer", "seed"), [("rmsprop", 12), ("sgd", 3)])
def test_an_average_of_few_entries_is_rounding_in_16_bits(optimizer, seed):
    # A moving variance near 1 moves by little and is stored with the unit of 1.
    model = convnet()
    model.compile(optimizer, "mse")
    engines = ["numpy:float16"]
    report = keras.compare(model, backends=engines, seed=seed)
    assert report.consistent, str(report)


def classifier(seed):
    keras.utils.set_random_seed(seed)
    inner = [layers.Dense(32, activation="relu"), layers.Dense(32, activation="relu")]
    last = layers.Dense(5, activation="softmax")
    with keras.use_backend("numpy"):
        model = keras.Sequential([keras.Input((20,)), *inner, last])
        model.compile("adam", "sparse_categorical_crossentropy")
    return model


def test_a_rectifier_may_round_to_the_other_side_of_0():
    # One of 512 inputs lies so near to 0 that the first perturbed references miss it.
    model = classifier(6)
    report = keras.compare(model, backends=["numpy:float16"], steps=3, seed=6)
    assert report.consistent, str(report)


@pytest.mark.parametrize("seed", [56, 61])
def test_training_that_rounding_explains_none_of_may_overflow(seed):
    report = keras.compare(
        classifier(seed), backends=["numpy:float16"], steps=3, seed=seed
    )
    assert not np.isfinite(report.trajectory[0].distances[-1])
    assert report.consistent, str(report)


@pytest.mark.parametrize(
    ("dtype", "others", "verdict"),
    [
        ("float16", (5.0, 9.0), "rounding"),
        ("float16", (1.001, 0.999), "wrong"),
        # It has the room of float32.
        ("bfloat16", (5.0, 9.0), "wrong"),
    ],
)
def test_nan_is_a_loss_that_rounding_changes_wholly(dtype, others, verdict):
    exact = Steps(losses=[1.0])
    runs = [Steps(losses=[other]) for other in others]
    run = TrainedReference("exact", exact, runs, dtype, lambda g: [], True)
    items = run.items(engine_named("numpy"), Steps(losses=[np.nan]))
    assert [item.verdict for item in items] == [verdict]


def test_further_references_are_asked_until_they_explain():
    asked = []

    def further():
        for number, last in enumerate([1.0 - 1e-5, 1.3, 1.5]):
            asked.append(number)
            yield Steps(losses=[last])

    exact, runs = Steps(losses=[1.0]), [Steps(losses=[1.0 + 1e-5])]
    run = TrainedReference(
        "exact", exact, runs, "float32", lambda g: [], False, further()
    )
    engine, wrong = engine_named("numpy"), Steps(losses=[1.4])
    assert run.items(engine, wrong, patient=False)[0].verdict == "wrong"
    assert asked == []
    assert run.items(engine, wrong)[0].verdict == "rounding"
    assert asked == [0, 1]
    assert run.items(engine, Steps(losses=[1e6]))[0].verdict == "wrong"
    assert asked == [0, 1, 2]


@pytest.mark.parametrize(("last", "verdict"), [(1.2, "rounding"), (1.5, "suspicious")])
def test_errors_of_early_losses_do_not_count_where_late_ones_are_larger(last, verdict):
    # Two errors as large as 0.01: a third is below 31 times that, unless by 1 in 1,000.
    runs = [Steps(losses=[1.0, 1.01]), Steps(losses=[1.0 + 1e-6, 0.992])]
    exact = Steps(losses=[1.0, 1.0])
    run = TrainedReference("exact", exact, runs, "float32", lambda g: [], False)
    items = run.items(engine_named("numpy"), Steps(losses=[1.0, last]))
    assert [item.verdict for item in items] == ["identical bits", verdict]


def test_a_step_that_gradients_may_not_explain_stays_wrong():
    def half(right, params, *rest):
        params = [p.copy() for p in params]
        moved, *slots = right(params, *rest)
        moved[0].flat[0] += 1e-3
        return moved, *slots

    report = keras.compare(convnet(), backends=[Faulty({"adam_update": half})])
    wrong = [i.name for i in report.of_kind("update") if not i.consistent]
    assert wrong == ["convnet/conv/kernel"]
