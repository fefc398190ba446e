"""Regularizers against closed forms, on every backend."""

import json

import numpy as np
import pytest

from polykeras import ops, regularizers
from polykeras.autodiff import vjp
from polykeras.errors import ArgumentError, ShapeError

X = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, -1.5]])
UNIT = X / np.linalg.norm(X, axis=1, keepdims=True)
COLUMNS = X / np.linalg.norm(X, axis=0, keepdims=True)


def cosines(rows):
    gram = np.abs(rows @ rows.T) * (1 - np.eye(len(rows)))
    return gram.sum() / (len(rows) * (len(rows) - 1))


CASES = {
    "l1": (regularizers.L1(0.3), 0.3 * np.abs(X).sum()),
    "l2": (regularizers.L2(0.3), 0.3 * (X**2).sum()),
    "l1l2": (regularizers.L1L2(0.3, 0.2), 0.3 * np.abs(X).sum() + 0.2 * (X**2).sum()),
    "only_l2": (regularizers.L1L2(0.0, 0.2), 0.2 * (X**2).sum()),
    "none": (regularizers.L1L2(), 0.0),
    "rows": (regularizers.OrthogonalRegularizer(0.5), 0.5 * cosines(UNIT)),
    "columns": (
        regularizers.OrthogonalRegularizer(0.5, "columns"),
        0.5 * cosines(COLUMNS.T),
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_value(backend, name, dtype):
    regularizer, expected = CASES[name]
    x = ops.convert_to_tensor(X.astype(dtype))
    result = regularizer(x)
    assert ops.dtype(result) == dtype
    assert tuple(result.shape) == ()
    # Sums of six terms, and an inverse square root.
    np.testing.assert_allclose(
        ops.convert_to_numpy(result), expected, rtol=20 * np.finfo(dtype).eps
    )


def test_gradient(backend):
    x = ops.convert_to_tensor(X)
    out, pull = vjp(regularizers.L1L2(0.3, 0.2), x)
    grad = pull(ops.ones_like(out))
    grad = grad[0] if isinstance(grad, tuple | list) else grad
    expected = 0.3 * np.sign(X) + 0.4 * X
    np.testing.assert_allclose(ops.convert_to_numpy(grad), expected, rtol=1e-15)


@pytest.mark.parametrize("name", CASES)
def test_config_round_trip(name):
    regularizer = CASES[name][0]
    data = json.loads(json.dumps(regularizers.serialize(regularizer)))
    assert data["module"] == "keras.regularizers"
    again = regularizers.deserialize(data)
    assert type(again) is type(regularizer)
    assert again.get_config() == regularizer.get_config()


@pytest.mark.parametrize("name", sorted(regularizers.ALL))
def test_every_name_is_found(name):
    assert type(regularizers.get(name)) is regularizers.ALL[name]


def test_get_takes_none_instances_and_functions():
    assert regularizers.get(None) is None
    l2 = regularizers.L2(0.5)
    assert regularizers.get(l2) is l2
    assert regularizers.get(np.sum) is np.sum
    assert regularizers.get("l2").l2 == 0.01
    assert regularizers.l1_l2 is regularizers.L1L2


@pytest.mark.parametrize(
    "call, kind, part",
    [
        (lambda: regularizers.get("l1_2"), ArgumentError, "Did you mean"),
        (lambda: regularizers.L1(-1.0), ArgumentError, "l1"),
        (lambda: regularizers.L2(float("nan")), ArgumentError, "l2"),
        (lambda: regularizers.L1L2("a"), ArgumentError, "l1"),
        (lambda: regularizers.OrthogonalRegularizer(1.0, "row"), ArgumentError, "rows"),
        (lambda: regularizers.OrthogonalRegularizer()(X[0]), ShapeError, "two axes"),
    ],
)
def test_wrong_arguments_are_named(call, kind, part):
    with pytest.raises(kind, match=part):
        call()
