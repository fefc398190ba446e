"""Encodings of classes and crossentropies, against formulas in float64."""

from __future__ import annotations

import numpy as np
import pytest

from polykeras import ops
from polykeras.errors import ArgumentError, OperationNotSupported, ShapeError
from tests.ops._checks import check_abstract, check_gradient, check_values, raised

RNG = np.random.default_rng(31)
LOGITS = RNG.normal(size=(6, 4)) * 3
LABELS = np.array([0, 3, 1, 2, 2, 0], np.int32)
HOT = np.eye(4)[LABELS]
# Away from 0, where differences of logarithms are exact enough.
SOFT = RNG.uniform(0.4, 0.6, (6, 4)) / 2
BINARY = RNG.uniform(size=(6, 4))


def log_softmax(x, axis=-1):
    x = x - x.max(axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("dtype", [None, "int32", "bool", "bfloat16"])
def test_one_hot(backend, axis, dtype):
    x = np.array([[0, 2, -1], [5, 1, 3]], np.int32)
    expected = (x[..., None] == np.arange(4)).astype(np.int64)
    out = check_abstract(lambda x: ops.one_hot(x, 4, axis, dtype), x)
    found = ops.cast(out, "float32")
    check_values(found, np.moveaxis(expected, -1, axis))
    assert ops.dtype(out) == (dtype or "float32")


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64"])
def test_one_hot_of_other_integers(backend, dtype):
    x = np.array([1, 100], dtype)
    expected = np.zeros((2, 300))
    expected[[0, 1], [1, 100]] = 1
    check_values(ops.one_hot(x, 300), expected)


def test_multi_hot(backend):
    x = np.array([[0, 2, 2], [1, 1, 3]], np.int32)
    expected = np.array([[1, 0, 1, 0, 0], [0, 1, 0, 1, 0]])
    check_values(check_abstract(lambda x: ops.multi_hot(x, 5), x), expected)
    check_values(ops.multi_hot(x[0], 3), np.array([1, 0, 1]))


def test_binary_crossentropy(backend):
    expected = -(BINARY * np.log(SOFT) + (1 - BINARY) * np.log(1 - SOFT))
    check_values(
        check_abstract(ops.binary_crossentropy, BINARY, SOFT), expected, ulp=20, scale=4
    )
    check_gradient(ops.binary_crossentropy, [BINARY, SOFT], order=2)
    expected = np.logaddexp(LOGITS, 0) - LOGITS * BINARY
    logits = lambda t, x: ops.binary_crossentropy(t, x, from_logits=True)  # noqa: E731
    check_values(check_abstract(logits, BINARY, LOGITS), expected, ulp=20, scale=4)
    check_gradient(logits, [BINARY, LOGITS], order=2)


@pytest.mark.parametrize("axis", [-1, 0])
def test_categorical_crossentropy(backend, axis):
    target, logits = np.moveaxis(SOFT, -1, axis), np.moveaxis(LOGITS, -1, axis)
    expected = -np.sum(target * log_softmax(logits, axis), axis)

    def from_logits(t, x):
        return ops.categorical_crossentropy(t, x, from_logits=True, axis=axis)

    check_values(check_abstract(from_logits, target, logits), expected, ulp=40, scale=8)
    check_gradient(from_logits, [target, logits], order=2)
    # Predictions need not sum to one.
    output = np.exp(log_softmax(logits * 0.2, axis)) * 3
    expected = -np.sum(target * log_softmax(logits * 0.2, axis), axis)

    def from_probabilities(t, x):
        return ops.categorical_crossentropy(t, x, axis=axis)

    found = check_abstract(from_probabilities, target, output)
    check_values(found, expected, ulp=40, scale=8)
    check_gradient(from_probabilities, [target, output])


@pytest.mark.parametrize("axis", [-1, 0])
def test_sparse_categorical_crossentropy(backend, axis):
    logits = np.moveaxis(LOGITS, -1, axis)
    expected = -np.sum(HOT * log_softmax(LOGITS), -1)

    def from_logits(t, x):
        return ops.sparse_categorical_crossentropy(t, x, from_logits=True, axis=axis)

    check_values(check_abstract(from_logits, LABELS, logits), expected, ulp=40, scale=8)
    check_gradient(from_logits, [LABELS, logits], order=2)
    output = np.exp(log_softmax(logits * 0.2, axis))
    expected = -np.sum(HOT * log_softmax(LOGITS * 0.2), -1)

    def from_probabilities(t, x):
        return ops.sparse_categorical_crossentropy(t, x, axis=axis)

    found = check_abstract(from_probabilities, LABELS, output)
    check_values(found, expected, ulp=40, scale=8)
    check_gradient(from_probabilities, [LABELS, output])


def test_sparse_targets_of_other_kinds(backend):
    expected = -np.sum(HOT * log_softmax(LOGITS), -1)
    for target in (LABELS[:, None], LABELS.astype(np.float32), LABELS.astype(np.uint8)):
        out = ops.sparse_categorical_crossentropy(target, LOGITS, from_logits=True)
        check_values(out, expected, ulp=40, scale=8)


def test_labels_out_of_range_count_for_nothing(backend):
    labels = np.array([0, -1, 4, 2, 2, 0], np.int32)
    for from_logits in (True, False):
        output = LOGITS if from_logits else np.exp(log_softmax(LOGITS * 0.2))

        def loss(t, x, flag=from_logits):
            return ops.sparse_categorical_crossentropy(t, x, from_logits=flag)

        found = ops.convert_to_numpy(loss(labels, output))
        assert found[1] == found[2] == 0
        assert np.all(found[[0, 3, 4, 5]] > 0)
        check_gradient(loss, [labels, output])


def test_probabilities_are_clipped(backend):
    zero_one = np.array([0.0, 1.0], np.float32)
    found = ops.convert_to_numpy(ops.binary_crossentropy(1 - zero_one, zero_one))
    assert np.all(np.isfinite(found))
    np.testing.assert_allclose(found, -np.log(1e-7), rtol=0.02)


def test_extreme_logits(backend):
    x = np.array([[-1000.0, 1000.0]], np.float32)
    hot = np.array([[0.0, 1.0]], np.float32)
    for loss in (
        ops.binary_crossentropy(hot, x, True),
        ops.categorical_crossentropy(hot, x, True),
        ops.sparse_categorical_crossentropy(np.array([1]), x, True),
    ):
        check_values(loss, np.zeros(loss.shape))


def test_errors(backend):
    assert "(2, 3)" in raised(
        ShapeError, ops.binary_crossentropy, np.ones((2, 2)), np.ones((2, 3))
    )
    assert "one shape" in raised(
        ShapeError, ops.categorical_crossentropy, np.ones(3), np.ones((2, 3))
    )
    assert "One-hot targets" in raised(
        ShapeError, ops.sparse_categorical_crossentropy, HOT, LOGITS
    )
    assert "num_classes" in raised(ArgumentError, ops.multi_hot, LABELS)
    assert "sparse=True" in raised(
        OperationNotSupported, ops.one_hot, LABELS, 4, -1, None, True
    )
