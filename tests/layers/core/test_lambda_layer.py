"""`Lambda`, which computes anything and saves no code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, PolykerasError
from polykeras.registry import (
    CustomObjectScope,
    deserialize_keras_object,
    serialize_keras_object,
)


def halved(x: Any, by: float = 2.0) -> Any:
    return x / by


@pytest.fixture
def registered() -> Iterator[None]:
    with CustomObjectScope({"halved": halved}):
        yield


def test_applies_the_function(backend: Backend) -> None:
    layer = keras.layers.Lambda(halved, arguments={"by": 4.0})
    y = keras.ops.convert_to_numpy(layer(np.array([[4.0, 8.0]], "float32")))
    np.testing.assert_array_equal(y, [[1.0, 2.0]])


def test_finds_shapes_out(backend: Backend) -> None:
    layer = keras.layers.Lambda(lambda x: keras.ops.concatenate([x, x], axis=-1))
    assert layer(keras.Input((None, 3))).shape == (None, None, 6)


def test_stated_shape_counts(backend: Backend) -> None:
    layer = keras.layers.Lambda(lambda x: x, output_shape=(7,))
    assert layer(keras.Input((3,))).shape == (None, 7)
    layer = keras.layers.Lambda(lambda x: x, output_shape=lambda s: (s[0], s[1] + 1))
    assert layer(keras.Input((3,))).shape == (None, 4)


def test_passes_training_and_mask(backend: Backend) -> None:
    seen: list[Any] = []

    def spy(x: Any, mask: Any = None, training: Any = None) -> Any:
        seen.append((mask is not None, training))
        return x

    x = np.ones((2, 3), "float32")
    keras.layers.Lambda(spy)(x, mask=np.ones((2,), bool), training=True)
    keras.layers.Lambda(spy)(x, training=False)
    assert seen == [(True, True), (False, False)]


def test_refuses_to_save_code() -> None:
    for function in (lambda x: x, halved):
        with pytest.raises(PolykerasError, match="cannot be saved"):
            keras.layers.Lambda(function).get_config()


def test_saves_a_registered_name(backend: Backend, registered: None) -> None:
    layer = keras.layers.Lambda(halved, arguments={"by": 4.0}, name="h")
    data = serialize_keras_object(layer)
    again = deserialize_keras_object(data)
    assert again.function is halved
    assert again.get_config() == layer.get_config()
    x = np.array([[4.0]], "float32")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(again(x)), [[1.0]])


def test_does_not_load_unknown_names(registered: None) -> None:
    data = serialize_keras_object(keras.layers.Lambda(halved))
    with CustomObjectScope({"halved": None}), pytest.raises(ArgumentError):
        deserialize_keras_object(data)


def test_refuses_what_cannot_be_called() -> None:
    with pytest.raises(ArgumentError, match="expected a function"):
        keras.layers.Lambda("halved")
