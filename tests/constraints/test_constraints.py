"""Constraints against closed forms, on every backend."""

import json

import numpy as np
import pytest

from polykeras import config, constraints, ops
from polykeras.errors import ArgumentError

W = np.array([[0.1, -2.0, 0.0], [0.3, 4.0, 0.0], [-0.2, 1.0, 0.0]])
NORM = np.linalg.norm(W, axis=0, keepdims=True)
ROWS = np.linalg.norm(W, axis=1, keepdims=True)
EPS = config.epsilon()

CASES = {
    "max": (constraints.MaxNorm(2), W * np.clip(NORM, 0, 2) / (NORM + EPS)),
    "max_rows": (
        constraints.MaxNorm(0.5, axis=1),
        W * np.clip(ROWS, 0, 0.5) / (ROWS + EPS),
    ),
    "min_max": (
        constraints.MinMaxNorm(0.5, 1.0, 0.25),
        W * (0.25 * np.clip(NORM, 0.5, 1.0) + 0.75 * NORM) / (NORM + EPS),
    ),
    "non_neg": (constraints.NonNeg(), np.maximum(W, 0)),
    "unit": (constraints.UnitNorm(), W / (NORM + EPS)),
    "unit_all": (constraints.UnitNorm((0, 1)), W / (np.linalg.norm(W) + EPS)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_value(backend, name, dtype):
    constraint, expected = CASES[name]
    result = constraint(ops.convert_to_tensor(W.astype(dtype)))
    assert ops.dtype(result) == dtype
    # Sums of nine squares, a root, a quotient and a product.
    np.testing.assert_allclose(
        ops.convert_to_numpy(result), expected, rtol=16 * np.finfo(dtype).eps
    )


@pytest.mark.parametrize("name", CASES)
def test_config_round_trip(name):
    constraint = CASES[name][0]
    again = constraints.deserialize(
        json.loads(json.dumps(constraints.serialize(constraint)))
    )
    assert type(again) is type(constraint)
    assert again.get_config() == constraint.get_config()


@pytest.mark.parametrize("name", sorted(constraints.ALL))
def test_every_name_is_found(name):
    assert type(constraints.get(name)) is constraints.ALL[name]


def test_get_takes_none_and_functions():
    assert constraints.get(None) is None
    assert constraints.get(np.abs) is np.abs
    with pytest.raises(ArgumentError, match="Did you mean 'max_norm'"):
        constraints.get("maxnorm")
