"""Outputs of layers: what is reported, and that the guilty layer is named."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.backend import installed_backends
from polykeras.errors import ArgumentError, ShapeError
from tests.compare._models import Faulty, batch, convnet, mlp


def test_installed_backends_agree_up_to_rounding():
    report = keras.compare(convnet())
    assert report.engines == installed_backends()
    assert report.consistent
    assert report.first_divergence is None
    names = [item.name for item in report.layers if item.engine == "numpy"]
    assert names == 2 * [
        "convnet/conv",
        "convnet/norm",
        "convnet/relu",
        "convnet/pool",
        "convnet/flat",
        "convnet/top",
        "convnet",
    ]


@pytest.mark.parametrize("engine", ["numpy:float64", "numpy:bfloat16", "numpy:float16"])
def test_other_dtypes_are_bounded_by_their_own_rounding(engine):
    report = keras.compare(convnet(), backends=["numpy", engine])
    assert report.consistent, str(report)
    dtype = engine.partition(":")[2]
    by_name = {item.name: item for item in report.layers if item.engine == engine}
    assert by_name["convnet/top"].dtype == dtype
    plain = {item.name: item for item in report.layers if item.engine == "numpy"}
    ratio = by_name["convnet/top"].error.max_abs / plain["convnet/top"].error.max_abs
    assert ratio < 0.01 if dtype == "float64" else ratio > 100


def test_bfloat16_is_more_than_rounding_of_float32():
    narrow = Faulty({"matmul": _in_bfloat16})
    report = keras.compare(mlp(), backends=[narrow])
    assert report.first_divergence.name == "mlp/first"
    assert report.first_divergence.verdict == "wrong"


def _in_bfloat16(right, x, y, *rest):
    import ml_dtypes

    small = [a.astype(ml_dtypes.bfloat16).astype(a.dtype) for a in (x, y)]
    return right(*small, *rest)


def test_the_guilty_layer_is_named_and_its_successors_are_not():
    wrong = Faulty({"relu": lambda right, x: right(x) * x.dtype.type(1.001)})
    report = keras.compare(convnet(), backends=[wrong])
    first = report.first_divergence
    assert (first.name, first.verdict, first.cls) == (
        "convnet/relu",
        "wrong",
        "Activation",
    )
    blamed = {item.name for item in report.layers if not item.consistent}
    assert blamed == {"convnet/relu"}
    after = next(item for item in report.layers if item.name == "convnet/top")
    assert after.accumulated == "wrong"
    assert "convnet/relu" in str(report)


def test_dropout_masks_are_the_same_bits_in_every_dtype():
    report = keras.compare(
        mlp(dropout=0.5), backends=["numpy", "numpy:float64", "numpy:bfloat16"]
    )
    masked = [
        item
        for item in report.layers
        if item.name == "mlp/dropout" and item.mode == "training"
    ]
    assert len(masked) == 3
    assert all(item.consistent for item in masked)


def test_steps_of_recurrent_layers_and_shared_layers_are_told_apart():
    cell = layers.LSTMCell(3, name="cell")
    shared = layers.Dense(4, name="shared")
    x = keras.Input((5, 4))
    y = layers.RNN(cell, name="rnn")(shared(shared(x)))
    report = keras.compare(keras.Model(x, y, name="m"), backends=["numpy"])
    names = {item.name for item in report.layers}
    assert {"m/shared", "m/shared[1]", "m/rnn"} <= names
    assert {"m/rnn/cell", "m/rnn/cell[4]"} <= names
    assert report.consistent


class Own(keras.Model):
    """A model whose `call` uses an op between two layers."""

    def __init__(self):
        super().__init__(name="own")
        self.inner = layers.Dense(3, name="inner")
        self.outer = layers.Dense(2, name="outer")

    def call(self, x):
        return self.outer(keras.ops.exp(self.inner(x)))


def test_ops_of_a_subclassed_model_are_blamed_on_the_model():
    keras.utils.set_random_seed(0)
    wrong = Faulty({"exp": lambda right, x: right(x) * x.dtype.type(1.001)})
    report = keras.compare(Own(), batch(4, 3), backends=[wrong, "numpy"])
    blamed = {(i.engine, i.name) for i in report.layers if not i.consistent}
    assert blamed == {("faulty", "own")}


def test_nan_is_wrong_and_its_place_is_told():
    def poison(right, x):
        y = right(x).copy()
        y[1, 2] = np.nan
        return y

    report = keras.compare(mlp(), backends=[Faulty({"relu": poison})])
    first = report.first_divergence
    assert first.verdict == "wrong"
    assert first.local.positions == ((1, 2),)
    assert "(1, 2)" in first.sentence()


def test_the_model_itself_stays_as_it_was():
    model = convnet()
    before = [w.copy() for w in model.get_weights()]
    keras.compare(model, backends=["numpy"])
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert int(model.optimizer.iterations) == 0


def test_a_model_without_declared_inputs_asks_for_data():
    with pytest.raises(ShapeError, match=r"--data FILE\.npz"):
        keras.compare(Own(), backends=["numpy"])
    model = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(2, 3)])
    with pytest.raises(ShapeError, match="more than the first two sizes are unknown"):
        keras.compare(model, backends=["numpy"])


def test_what_is_no_model_is_refused():
    with pytest.raises(ArgumentError, match="Expected a model, got int"):
        keras.compare(3)
    with pytest.raises(ArgumentError, match="Did you mean 'bfloat16'"):
        keras.compare(mlp(), backends=["numpy:bfloat"])


def test_any_engine_may_be_the_reference(backend):
    model, reference = mlp(), f"{backend.name}:float64"
    assert keras.compare(model, backends=["numpy"], reference=reference).consistent


def test_overflow_is_explained_where_rounding_alone_overflows():
    # The variance overflows, the normalized values do not.
    model = keras.Sequential([keras.Input((6,)), layers.LayerNormalization()])
    x = 1e25 * batch(4, 6)
    assert keras.compare(model, x, backends=["numpy"], steps=1).consistent


@pytest.mark.parametrize("size", [1e15, 1e18, 1e20])
@pytest.mark.parametrize(
    "layer",
    [
        layers.BatchNormalization(),
        layers.LayerNormalization(),
        layers.RMSNormalization(),
        layers.GroupNormalization(2),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_our_backends_normalize_large_numbers_alike(layer, size, backend):
    # Powers of one over the deviation underflow, and the variance overflows at last.
    layer = type(layer).from_config(layer.get_config())
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(4), layer, layers.Dense(2)]
    )
    report = keras.compare(model, size * batch(8, 6), backends=[backend], steps=1)
    assert report.consistent, str(report)


def test_nan_is_wrong_where_the_variance_overflows():
    def spoiled(right, x, *rest):
        return np.full_like(x, np.nan)

    model = keras.Sequential([keras.Input((6,)), layers.LayerNormalization()])
    engine = Faulty({"layer_normalization": spoiled})
    report = keras.compare(model, 1e25 * batch(4, 6), backends=[engine])
    assert report.first_divergence.verdict == "wrong"


@pytest.mark.parametrize("size", [1e-25, 1e18, 1e35])
@pytest.mark.parametrize(
    "layer",
    [layers.Conv2D(3, 2), layers.DepthwiseConv2D(2), layers.Conv2DTranspose(2, 2)],
    ids=lambda layer: type(layer).__name__,
)
def test_numbers_whose_squares_overflow_have_bounds(layer, size):
    model = keras.Sequential([keras.Input((4, 4, 2)), layer])
    report = keras.compare(model, size * batch(4, 4, 4, 2), backends=["numpy"], steps=1)
    assert report.consistent, str(report)
    item = next(i for i in report.items if i.kind == "layer")
    # Units of half an epsilon: no more than the terms of the sum, and some more.
    assert 2.0**-24 < item.bound / item.error.ceiling < 100 * 2.0**-24


def test_a_missing_op_is_not_comparable_and_the_rest_goes_on():
    class Poor(Faulty):
        def own_kernels(self):
            table = dict(super().own_kernels())
            del table["conv_general"]
            return table

    report = keras.compare(convnet(), backends=[Poor({}), "numpy"])
    assert report.consistent
    kinds = {i.verdict for i in report.items if i.engine == "faulty"}
    assert kinds == {"not comparable"}
    assert "conv_general" in str(report)
    assert len([i for i in report.layers if i.engine == "numpy"]) == 14


def test_a_layer_behind_a_wrong_one_has_a_bound_of_its_own_in_training():
    keras.utils.set_random_seed(0)
    stack = [
        keras.Input((64,)),
        layers.Dropout(0.1, name="drop"),
        layers.Activation("relu", name="one"),
        layers.Rescaling(1.0, 100.0, name="far"),
        layers.LayerNormalization(name="two"),
    ]
    model = keras.Sequential(stack, name="deep")
    wrong = Faulty({"relu": lambda right, x: right(x) * x.dtype.type(1.5)})
    for steps in (0, 1):
        report = keras.compare(model, backends=[wrong], steps=steps)
        found = {(i.name, i.mode) for i in report.layers if not i.consistent}
        assert found == {("deep/one", "inference"), ("deep/one", "training")}
        two = [i for i in report.layers if i.name == "deep/two"]
        assert {i.accumulated for i in two} <= {"suspicious", "wrong"}
