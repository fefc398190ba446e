"""Arguments of calls: what is missing, unknown or too much is named."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.errors import ArgumentError

X = np.ones((2, 3, 4), "float32")


def built(layer):
    layer(X)
    return layer


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: layers.Dense(2)(X, foo=1), r"unknown argument foo=1.*\(inputs, train"),
        (lambda: built(layers.Dense(2))(X, inputz=1), "Did you mean 'inputs'"),
        (layers.Dense(2), "called without 'inputs'"),
        (keras.Sequential([layers.Dense(2)]), "Sequential was called without 'inputs'"),
        (
            lambda: layers.MultiHeadAttention(2, 2)(X),
            "called without 'value'.*query, v",
        ),
        (
            lambda: layers.MultiHeadAttention(2, 2)(keras.Input((3, 4))),
            "without 'value'",
        ),
        (lambda: layers.LSTM(2)(X, 1, None, True, 5), "with 5 arguments.*at most 4"),
        (lambda: built(layers.Dense(2))(X, inputs=X), "multiple values"),
        (lambda: layers.Lambda(lambda x: x, arguments={"z": 1}), "'z' in arguments"),
    ],
)
def test_wrong_arguments_are_named(call, said):
    with pytest.raises(ArgumentError, match=said):
        call()


def test_errors_inside_a_call_stay_what_they_are():
    class Own(layers.Layer):
        def call(self, inputs):
            return inputs + len(3)

    with pytest.raises(TypeError, match=r"has no len\(\)"):
        Own()(X)
