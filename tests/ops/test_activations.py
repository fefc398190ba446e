"""Activation functions, against their formulas in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest

from polykeras import ops
from polykeras.autodiff import vjp
from polykeras.errors import ArgumentError, ShapeError
from tests.ops._checks import (
    check_abstract,
    check_gradient,
    check_values,
    host,
    raised,
    tensor,
)

X = np.concatenate([np.linspace(-8, 8, 40), [-30.0, -80.0, 30.0, 80.0]])
erf = np.vectorize(math.erf)


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def softplus(x):
    return np.logaddexp(x, 0)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


SELU = 1.0507009873554805, 1.6732632423543772
# Name, arguments, reference, magnitude that cancels.
CASES = [
    ("relu", (), lambda x: np.maximum(x, 0), 0),
    ("relu6", (), lambda x: np.clip(x, 0, 6), 0),
    ("leaky_relu", (0.1,), lambda x: np.where(x > 0, x, 0.1 * x), 0),
    ("elu", (1.5,), lambda x: elu(x, 1.5), 0),
    ("selu", (), lambda x: SELU[0] * elu(x, SELU[1]), 0),
    ("celu", (2.0,), lambda x: np.where(x > 0, x, 2 * np.expm1(x / 2)), 0),
    ("sigmoid", (), sigmoid, 0),
    ("log_sigmoid", (), lambda x: -softplus(-x), 0),
    ("softplus", (), softplus, 0),
    ("silu", (), lambda x: x * sigmoid(x), 0),
    ("swish", (), lambda x: x * sigmoid(x), 0),
    ("gelu", (True,), gelu, 8),
    ("gelu", (False,), lambda x: 0.5 * x * (1 + erf(x / math.sqrt(2))), 8),
    ("softsign", (), lambda x: x / (1 + abs(x)), 0),
    ("squareplus", (3.0,), lambda x: (x + np.sqrt(x * x + 3)) / 2, 80),
    ("tanh_shrink", (), lambda x: x - np.tanh(x), 1),
    ("hard_sigmoid", (), lambda x: np.clip(x / 6 + 0.5, 0, 1), 1),
    ("hard_silu", (), lambda x: x * np.clip(x / 6 + 0.5, 0, 1), 3),
    ("hard_swish", (), lambda x: x * np.clip(x / 6 + 0.5, 0, 1), 3),
    ("hard_tanh", (), lambda x: np.clip(x, -1, 1), 0),
    ("hard_shrink", (0.7,), lambda x: np.where(abs(x) > 0.7, x, 0), 0),
    (
        "soft_shrink",
        (0.7,),
        lambda x: np.sign(x) * np.maximum(abs(x) - 0.7, 0),
        1,
    ),
    ("threshold", (0.5, -2.0), lambda x: np.where(x > 0.5, x, -2.0), 0),
    (
        "sparse_plus",
        (),
        lambda x: np.where(x <= -1, 0, np.where(x < 1, 0.25 * (x + 1) ** 2, x)),
        1,
    ),
    ("sparse_sigmoid", (), lambda x: np.clip((x + 1) / 2, 0, 1), 1),
]
IDS = [f"{name}{args}" for name, args, *_ in CASES]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_values(backend, case):
    name, args, reference, scale = case
    fn = getattr(ops, name)
    for dtype, ulp in (("float32", 12), ("float16", 8), ("bfloat16", 8)):
        x = host(ops.cast(X, dtype))
        out = check_abstract(lambda x: fn(x, *args), x)
        # Smaller dtypes round the argument of a composition more than once.
        wider = scale if dtype == "float32" else max(scale, 8)
        expected = reference(x.astype(np.float64))
        check_values(out, expected, ulp=ulp, scale=wider, dtype=dtype)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_gradients(backend, case):
    name, args, *_ = case
    fn = getattr(ops, name)
    check_gradient(lambda x: fn(x, *args), [np.linspace(-7.3, 7.1, 8)], order=2)


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "silu", "gelu", "elu"])
def test_gradients_do_not_overflow(backend, name):
    x = np.array([-1e4, -100.0, 100.0, 1e4], np.float32)
    _, pullback = vjp(getattr(ops, name), tensor(x))
    found = host(pull_one(pullback, np.ones(4, np.float32)))
    assert np.all(np.isfinite(found))
    limits = [0, 0, 0, 0] if name == "sigmoid" else [0, 0, 1, 1]
    np.testing.assert_allclose(found, limits, atol=1e-6)


def pull_one(pullback, g):
    found = pullback(tensor(g))
    return found[0] if isinstance(found, list | tuple) else found


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("relu", 0.0, 0.0),
        ("relu6", 0.0, 0.0),
        ("relu6", 6.0, 0.0),
        ("leaky_relu", 0.0, 0.2),
        ("hard_tanh", 1.0, 0.0),
    ],
)
def test_gradient_at_a_bend(backend, name, at, expected):
    _, pullback = vjp(getattr(ops, name), tensor(np.array([at])))
    assert host(pull_one(pullback, np.ones(1)))[0] == expected


@pytest.mark.parametrize("name", ["relu", "relu6", "threshold"])
def test_integers_stay_integers(backend, name):
    args = (0, 0) if name == "threshold" else ()
    out = getattr(ops, name)(np.array([-2, 3], np.int32), *args)
    check_values(out, np.array([0, 3]), dtype="int32")


@pytest.mark.parametrize("axis", [-1, 0, (0, 2), (1, 2), None], ids=str)
def test_softmax(backend, axis):
    x = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32) * 5
    wide = x.astype(np.float64)
    powers = np.exp(wide - wide.max(axis, keepdims=True))
    expected = powers / powers.sum(axis=axis, keepdims=True)
    out = check_abstract(lambda x: ops.softmax(x, axis), x)
    check_values(out, expected, ulp=40)
    logs = check_abstract(lambda x: ops.log_softmax(x, axis), x)
    check_values(logs, np.log(expected), ulp=20, scale=30)
    check_gradient(lambda x: ops.softmax(x, axis), [x], order=2)
    check_gradient(lambda x: ops.log_softmax(x, axis), [x], order=2)


def test_softmax_of_large_values(backend):
    x = np.array([1e4, 1e4, -1e4], np.float32)
    check_values(ops.softmax(x), np.array([0.5, 0.5, 0.0]))
    check_values(
        ops.log_softmax(x), -np.array([math.log(2), math.log(2), 2e4 + math.log(2)])
    )


@pytest.mark.parametrize("axis", [-1, 0])
def test_sparsemax(backend, axis):
    x = np.random.default_rng(1).normal(size=(4, 5))
    out = host(check_abstract(lambda x: ops.sparsemax(x, axis), x))
    np.testing.assert_allclose(out.sum(axis), 1, rtol=1e-14)
    # The projection onto the simplex leaves x - level where it is positive.
    level = np.where(out > 0, x - out, np.inf).min(axis, keepdims=True)
    np.testing.assert_allclose(out, np.maximum(x - level, 0), atol=1e-14)
    assert (out == 0).any()
    check_gradient(lambda x: ops.sparsemax(x, axis), [x])


def test_glu(backend):
    x = np.random.default_rng(2).normal(size=(3, 6))
    expected = x[:, :3] * sigmoid(x[:, 3:])
    check_values(check_abstract(ops.glu, x), expected)
    check_gradient(ops.glu, [x])
    assert "even size" in raised(ShapeError, ops.glu, np.ones((2, 3)))


def test_errors(backend):
    assert "axis 3" in raised(ArgumentError, ops.softmax, np.ones((2, 2)), 3)


def test_scalars_and_lists(backend):
    assert float(ops.relu(-1.0)) == 0.0
    check_values(ops.sigmoid([0, 0]), np.array([0.5, 0.5]), dtype="float32")
    check_values(ops.elu([0, 2]), np.array([0.0, 2.0]), dtype="float32")
