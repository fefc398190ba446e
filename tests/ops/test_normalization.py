"""Normalisation, against its formulas in float64."""

from __future__ import annotations

import numpy as np
import pytest

from polykeras import ops
from polykeras.errors import ShapeError
from tests.ops._checks import check_abstract, check_gradient, check_values, raised

RNG = np.random.default_rng(21)
X = RNG.normal(size=(4, 3, 5)) * 3 + 1


def spread(value, axes, ndim):
    shape = [1] * ndim
    for a, n in zip(axes, value.shape, strict=True):
        shape[a] = n
    return value.reshape(shape)


@pytest.mark.parametrize("axis", [-1, 1, 0])
@pytest.mark.parametrize("weights", [True, False])
def test_batch_normalization(backend, axis, weights):
    n = X.shape[axis]
    mean, offset, scale = RNG.normal(size=(3, n))
    variance = RNG.uniform(0.5, 2, n)
    rest = (offset, scale) if weights else (None, None)
    along = (axis % 3,)
    m, v, b, s = (spread(a, along, 3) for a in (mean, variance, offset, scale))
    expected = (X - m) / np.sqrt(v + 0.01)
    expected = expected * s + b if weights else expected
    args = (X, mean, variance, axis, *rest, 0.01)
    check_values(
        check_abstract(ops.batch_normalization, *args), expected, ulp=20, scale=5
    )
    check_gradient(ops.batch_normalization, args, order=2)
    check_gradient(
        lambda x, b, s: ops.batch_normalization(x, mean, variance, axis, b, s),
        [X, offset, scale],
    )


@pytest.mark.parametrize("axis", [-1, 1, 0])
@pytest.mark.parametrize("weights", [True, False])
def test_batch_normalization_training(backend, axis, weights):
    others = tuple(i for i in range(3) if i != axis % 3)
    mean, variance = X.mean(others), X.var(others)
    offset, scale = RNG.normal(size=(2, X.shape[axis])) if weights else (None, None)
    args = (X, axis, offset, scale, 0.01)
    out = check_abstract(ops.batch_normalization_training, *args)
    expected = ops.batch_normalization(X, mean, variance, axis, offset, scale, 0.01)
    check_values(out[0], ops.convert_to_numpy(expected), ulp=40, scale=5)
    check_values(out[1], mean, ulp=20, scale=5)
    check_values(out[2], variance, ulp=20, scale=50)
    check_gradient(ops.batch_normalization_training, args, order=2)


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), (0, 2)], ids=str)
@pytest.mark.parametrize("weights", [True, False])
def test_layer_normalization(backend, axis, weights):
    axes = axis if isinstance(axis, tuple) else (axis % 3,)
    gamma, beta = RNG.normal(size=(2, *(X.shape[a] for a in axes)))
    mean, variance = (f(X, axis=axes, keepdims=True) for f in (np.mean, np.var))
    expected = (X - mean) / np.sqrt(variance + 1e-3)
    if weights:
        expected = expected * spread(gamma, axes, 3) + spread(beta, axes, 3)
    args = (X, gamma, beta) if weights else (X, None, None)
    args = (*args, axis, 1e-3)
    out = check_abstract(ops.layer_normalization, *args)
    check_values(out, expected, ulp=40, scale=5)
    check_gradient(ops.layer_normalization, args, order=2)


@pytest.mark.parametrize("axis", [-1, 1, (1, 2)], ids=str)
@pytest.mark.parametrize("weights", [True, False])
def test_rms_normalization(backend, axis, weights):
    axes = axis if isinstance(axis, tuple) else (axis % 3,)
    scale = RNG.normal(size=tuple(X.shape[a] for a in axes))
    expected = X / np.sqrt(np.mean(X * X, axis=axes, keepdims=True) + 1e-7)
    expected = expected * spread(scale, axes, 3) if weights else expected
    args = (X, scale if weights else None, axis)
    out = check_abstract(ops.rms_normalization, *args)
    check_values(out, expected, ulp=40, scale=5)
    check_gradient(ops.rms_normalization, args, order=2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_dtypes(backend, dtype):
    x = ops.cast(X * 300, dtype)
    ones = ops.ones((5,), dtype)
    for fn in (ops.layer_normalization, ops.rms_normalization):
        out = check_abstract(fn, x, ones)
        assert ops.dtype(out) == dtype
        # Squares of these values overflow in float16.
        root = np.sqrt(np.mean(ops.convert_to_numpy(out).astype(float) ** 2))
        assert abs(root - 1) < 0.02
    check = check_abstract(ops.batch_normalization, x, ones, ones, -1)
    assert ops.dtype(check) == dtype


def test_errors(backend):
    message = raised(ShapeError, ops.layer_normalization, X, np.ones(4))
    assert "gamma of shape (5,)" in message
    message = raised(ShapeError, ops.batch_normalization, X, np.ones(4), np.ones(5), -1)
    assert "mean of shape (5,)" in message
    message = raised(ShapeError, ops.rms_normalization, X, np.ones(4))
    assert "scale of shape (5,)" in message
