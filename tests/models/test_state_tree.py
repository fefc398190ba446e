"""`get_state_tree` and `set_state_tree`: a model's state as nested dicts."""

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.errors import ArgumentError

X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


def trained():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(2, name="head"),
            layers.BatchNormalization(name="norm"),
        ],
        name="net",
    )
    model.compile("adam", "mse")
    model.fit(X, X[:, :2], epochs=2, verbose=0)
    return model


def test_state_goes_round(backend):
    model = trained()
    state = model.get_state_tree("numpy_array")
    assert set(state) == {
        "trainable_variables",
        "non_trainable_variables",
        "optimizer_variables",
        "metrics_variables",
    }
    head = state["trainable_variables"]["net"]["head"]
    assert sorted(head) == ["bias", "kernel"]
    np.testing.assert_array_equal(head["kernel"], model.get_weights()[0])
    model.fit(X, X[:, :2], epochs=2, verbose=0)
    assert not np.array_equal(model.get_weights()[0], head["kernel"])
    model.set_state_tree(state)
    np.testing.assert_array_equal(model.get_weights()[0], head["kernel"])
    assert int(model.optimizer.iterations.numpy()) == 2


def test_parts_may_be_left_out_and_errors_change_nothing():
    model = trained()
    before = model.get_weights()
    zeros = np.zeros((3, 2), "float32")
    with pytest.raises(ArgumentError, match="Did you mean 'net/head/kernel'"):
        model.set_state_tree(
            {
                "trainable_variables": {
                    "net": {"head": {"kernel": zeros, "kernl": zeros}}
                }
            }
        )
    with pytest.raises(ArgumentError, match=r"shape \(3, 2\).*\(2, 2\)"):
        model.set_state_tree(
            {"trainable_variables": {"net": {"head": {"kernel": zeros[:2]}}}}
        )
    with pytest.raises(ArgumentError, match="Did you mean 'trainable_variables'"):
        model.set_state_tree({"trainable_variable": {}})
    with pytest.raises(ArgumentError, match="Did you mean 'numpy_array'"):
        model.get_state_tree("numpy_arrays")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.set_state_tree({"trainable_variables": {"net": {"head": {"kernel": zeros}}}})
    np.testing.assert_array_equal(model.get_weights()[0], zeros)
