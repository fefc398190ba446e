from __future__ import annotations

import numpy as np
import pytest

from polykeras import losses, ops
from polykeras.autodiff import value_and_grad
from polykeras.errors import ArgumentError, ShapeError
from polykeras.losses.reduction import mask_weight
from polykeras.variables import Variable


def test_flat_labels_do_not_broadcast(backend):
    value = losses.mean_squared_error([1.0, 2.0, 3.0], [[1.0], [2.0], [4.0]])
    assert ops.convert_to_numpy(value).tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "binary_crossentropy"])
@pytest.mark.parametrize(
    ("labels", "outputs"), [((3,), (3, 3)), ((3, 4), (3, 1)), ((1, 3), (3, 1))]
)
def test_shapes_that_do_not_fit(backend, name, labels, outputs):
    with pytest.raises(ShapeError, match=r"y_true has shape .* y_pred has shape"):
        losses.get(name)(np.ones(labels, "float32"), np.ones(outputs, "float32"))


@pytest.mark.parametrize("labels", [[0, 3], [-1, 2]])
def test_labels_out_of_range(backend, labels):
    loss = losses.SparseCategoricalCrossentropy()
    with pytest.raises(ArgumentError, match="from 0 to 2"):
        loss(np.array(labels), np.full((2, 3), 1 / 3, "float32"))


def test_labels_out_of_range_are_nan_when_compiled(backend):
    if not backend.capabilities.compile:
        pytest.skip("the backend runs compiled functions with values")
    compiled = backend.compile(losses.sparse_categorical_crossentropy)
    labels = ops.convert_to_tensor(np.array([0, 7], "int32"))
    value = ops.convert_to_numpy(compiled(labels, ops.full((2, 4), 0.25)))
    np.testing.assert_allclose(value, [np.log(4), np.nan], rtol=1e-6)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("label", [7, -2])
def test_labels_out_of_range_have_no_gradient_when_compiled(
    backend, label, from_logits
):
    def step(labels, outputs):
        def total(outputs):
            return ops.sum(
                losses.sparse_categorical_crossentropy(labels, outputs, from_logits)
            )

        return value_and_grad(total)(outputs)

    outputs = ops.full((2, 4), 0.25)
    labels = ops.convert_to_tensor(np.array([0, label], "int32"))
    value, gradient = backend.compile(step)(labels, outputs)
    assert np.isnan(ops.convert_to_numpy(value))
    known, unknown = ops.convert_to_numpy(gradient)
    assert known[0] < 0
    assert unknown.tolist() == [0, 0, 0, 0]


def test_weights_of_samples_spread_over_time(backend):
    loss = losses.MeanSquaredError(reduction="none")
    value = loss(np.zeros((2, 3, 1)), np.ones((2, 3, 1)), sample_weight=[2.0, 0.0])
    assert ops.convert_to_numpy(value).tolist() == [[2.0] * 3, [0.0] * 3]


def test_weights_that_do_not_fit(backend):
    with pytest.raises(ShapeError, match="sample_weight has shape"):
        losses.MeanSquaredError()(np.zeros((4, 2)), np.ones((4, 2)), [1.0, 2.0, 3.0])


def test_mask_gives_the_mean_of_what_counts(backend):
    y_true, y_pred = np.zeros((2, 2, 1)), np.array([[[1.0], [9.0]], [[2.0], [3.0]]])
    weight = mask_weight(np.array([[True, False], [True, True]]))
    value = losses.MeanSquaredError()(y_true, y_pred, weight)
    # Three values of 2**-24 relative error each, scaled by 4/3.
    assert float(value) == pytest.approx((1 + 4 + 9) / 3, rel=1e-6)


@pytest.mark.parametrize("name", sorted(losses._BY_NAME))
def test_every_string(backend, name):
    if name in ("Loss", "LossFunctionWrapper"):
        return
    found = losses.get(name)
    assert callable(found)
    assert losses.deserialize(losses.serialize(found)) is not None


def test_unknown_string():
    with pytest.raises(ArgumentError, match="Did you mean 'mse'"):
        losses.get("mze")


def test_gradient_reaches_the_prediction(backend):
    w = Variable([[0.2, -0.4, 0.1]])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    _, (grad,) = value_and_grad(lambda: loss([2], w.value), [w])()
    p = np.exp([[0.2, -0.4, 0.1]])
    expected = p / p.sum() - np.array([[0, 0, 1]])
    np.testing.assert_allclose(ops.convert_to_numpy(grad), expected, atol=1e-6)


def test_own_function_as_a_loss(backend):
    loss = losses.LossFunctionWrapper(lambda y, p, k: (p - y) * k, name="gap", k=3.0)
    assert float(loss(ops.zeros((2,)), ops.ones((2,)))) == 3.0


def test_unknown_reduction():
    with pytest.raises(ArgumentError, match="Unknown reduction 'avg'"):
        losses.MeanSquaredError(reduction="avg")
