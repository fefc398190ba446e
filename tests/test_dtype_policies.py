import numpy as np
import pytest

import polykeras as keras
from polykeras import dtype_policies, ops
from polykeras.dtype_policies import DTypePolicy
from polykeras.errors import ArgumentError


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    monkeypatch.setattr(dtype_policies, "_global", None)


@pytest.mark.parametrize(
    ("name", "compute", "variable"),
    [
        ("float32", "float32", "float32"),
        ("float64", "float64", "float64"),
        ("bfloat16", "bfloat16", "bfloat16"),
        ("mixed_float16", "float16", "float32"),
        ("mixed_bfloat16", "bfloat16", "float32"),
    ],
)
def test_policy_of_a_layer(backend, name, compute, variable):
    policy = DTypePolicy(name)
    assert (policy.compute_dtype, policy.variable_dtype) == (compute, variable)
    layer = keras.layers.Dense(2, dtype=name)
    x = np.ones((3, 4), "float32")
    y = layer(x)
    assert backend.dtype_name(y) == compute
    assert layer.kernel.dtype == variable
    assert layer(keras.Input((4,))).dtype == compute
    # Integers are inputs of another kind and are not cast to floats.
    back = DTypePolicy.from_config(policy.get_config())
    assert back == policy
    assert hash(back) == hash(policy)
    assert dtype_policies.deserialize(dtype_policies.serialize(policy)) == policy


@pytest.mark.parametrize("name", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains(backend, name):
    keras.utils.set_random_seed(1)
    keras.mixed_precision.set_global_policy(name)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    assert model.layers[0].dtype_policy.name == name
    model.compile("sgd", "mse")
    x = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], "float32")
    y = x @ np.array([[1.0], [-1.0], [0.5]], "float32")
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=20, verbose=0)
    assert model.evaluate(x, y, verbose=0) < before / 2
    assert {v.dtype for v in model.trainable_variables} == {"float32"}
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_global_policy():
    assert keras.config.dtype_policy().name == "float32"
    keras.config.set_dtype_policy("mixed_bfloat16")
    assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    assert keras.layers.Dense(1, dtype="float64").compute_dtype == "float64"
    assert DTypePolicy().name == "mixed_bfloat16"
    with pytest.raises(ArgumentError, match="Unknown dtype policy 'mixed_float17'"):
        keras.config.set_dtype_policy("mixed_float17")
    assert keras.config.dtype_policy().name == "mixed_bfloat16"


def test_get_takes_every_form():
    policy = DTypePolicy("mixed_float16")
    assert dtype_policies.get(policy) is policy
    assert dtype_policies.get("mixed_float16") == policy
    assert dtype_policies.get(np.float64).name == "float64"
    assert dtype_policies.get(dtype_policies.serialize(policy)) == policy
    assert dtype_policies.get(None).name == "float32"
    with pytest.raises((ArgumentError, TypeError)):
        dtype_policies.get("floaty")


def test_policy_decides_the_dtype_of_gradients(backend):
    layer = keras.layers.Dense(1, dtype="mixed_bfloat16")
    layer.build((None, 2))
    x = ops.ones((1, 2))
    gradient = keras.grad(lambda: ops.sum(layer(x)), [layer.kernel])()[0]
    assert backend.dtype_name(gradient) == "float32"
