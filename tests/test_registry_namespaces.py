"""One name in several namespaces is written and read as what it was."""

from __future__ import annotations

import json

import pytest

import polykeras as keras
from polykeras import initializers, layers, losses, metrics

PAIRS = [
    (layers.Identity, initializers.Identity),
    (losses.MeanSquaredError, metrics.MeanSquaredError),
    (losses.BinaryCrossentropy, metrics.BinaryCrossentropy),
    (losses.Poisson, metrics.Poisson),
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].__name__)
def test_equal_names_are_told_apart(pair):
    for cls in pair:
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(cls())))
        assert config["registered_name"] is None
        assert type(keras.saving.deserialize_keras_object(config)) is cls


def test_a_module_is_compared_and_never_imported():
    config = {
        "module": "os.initializers",
        "class_name": "Identity",
        "config": {},
        "registered_name": None,
    }
    found = keras.saving.deserialize_keras_object(config)
    assert type(found) is initializers.Identity
