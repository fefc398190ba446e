from __future__ import annotations

import math

import numpy as np
import pytest

from polykeras import activations, ops
from polykeras.errors import ArgumentError

X = np.array([-3.0, -1.0, -0.25, 0.0, 0.5, 2.0, 7.0], "float32")
# Closed forms in float64.
CASES = [
    ("relu", {}, lambda x: np.maximum(x, 0)),
    ("relu", {"negative_slope": 0.1}, lambda x: np.where(x > 0, x, 0.1 * x)),
    ("relu", {"max_value": 1.5}, lambda x: np.clip(x, 0, 1.5)),
    ("relu", {"threshold": 1.0}, lambda x: np.where(x > 1, x, 0)),
    (
        "relu",
        {"threshold": 1.0, "negative_slope": 0.5, "max_value": 6.0},
        lambda x: np.minimum(np.where(x > 1, x, 0.5 * (x - 1)), 6),
    ),
    ("relu6", {}, lambda x: np.clip(x, 0, 6)),
    ("leaky_relu", {}, lambda x: np.where(x > 0, x, 0.2 * x)),
    ("elu", {}, lambda x: np.where(x > 0, x, np.expm1(x))),
    ("sigmoid", {}, lambda x: 1 / (1 + np.exp(-x))),
    ("tanh", {}, np.tanh),
    ("softplus", {}, lambda x: np.log1p(np.exp(x))),
    ("softsign", {}, lambda x: x / (1 + np.abs(x))),
    ("silu", {}, lambda x: x / (1 + np.exp(-x))),
    ("swish", {}, lambda x: x / (1 + np.exp(-x))),
    ("exponential", {}, np.exp),
    ("linear", {}, lambda x: x),
    ("mish", {}, lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    ("gelu", {}, lambda x: x * (1 + np.vectorize(math.erf)(x / 2**0.5)) / 2),
    ("softmax", {}, lambda x: np.exp(x) / np.exp(x).sum()),
    ("log_softmax", {}, lambda x: x - np.log(np.exp(x).sum())),
    ("hard_sigmoid", {}, lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    ("hard_silu", {}, lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    ("hard_tanh", {}, lambda x: np.clip(x, -1, 1)),
    (
        "threshold",
        {"threshold": 0.3, "default_value": 9.0},
        lambda x: np.where(x > 0.3, x, 9),
    ),
]


@pytest.mark.parametrize(
    ("name", "options", "reference"), CASES, ids=lambda x: x if type(x) is str else ""
)
def test_value(backend, name, options, reference):
    y = getattr(activations, name)(ops.convert_to_tensor(X), **options)
    expected = reference(X.astype("float64"))
    assert ops.dtype(y) == "float32"
    # A few rounded operations and one exponential.
    np.testing.assert_allclose(ops.convert_to_numpy(y), expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", sorted(activations._BY_NAME))
def test_names_round_trip(name):
    fn = activations.get(name)
    assert activations.get(activations.serialize(fn)) is fn


def test_others(backend):
    assert activations.get(None) is activations.linear
    assert activations.get(np.tanh) is np.tanh
    with pytest.raises(ArgumentError, match="Did you mean 'relu'"):
        activations.get("rellu")
