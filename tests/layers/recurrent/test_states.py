"""States that recurrent layers keep, hand over and begin with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.backend import Backend
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError, ShapeError
from tests.layers._answers import wave

SHAPE = (3, 4, 2)
LAYERS = ("SimpleRNN", "LSTM", "GRU")


def _layer(cls: str, **args: Any) -> Any:
    layer = getattr(keras.layers, cls)(**{"units": 3, **args})
    layer.build(SHAPE)
    layer.set_weights(
        [wave(list(w.shape), i, 1.3) for i, w in enumerate(layer.get_weights())]
    )
    return layer


def _inputs(dtype: str = "float32") -> Any:
    return ops.convert_to_tensor(wave(list(SHAPE), 0.0, 0.7).astype(dtype))


@pytest.mark.parametrize("cls", LAYERS)
def test_stateful_continues(backend: Backend, cls: str) -> None:
    whole = _layer(cls)(_inputs())
    layer = _layer(cls, stateful=True)
    count = 2 if cls == "LSTM" else 1
    assert len(layer.states) == count
    assert len(layer.weights) == 3
    assert len(layer.variables) == 3 + count + 1  # A seed generator, too.
    x = ops.convert_to_numpy(_inputs())
    first = layer(ops.convert_to_tensor(x[:, :2]))
    assert_near(layer(ops.convert_to_tensor(x[:, 2:])), whole, 64)
    layer.reset_states()
    again = layer(ops.convert_to_tensor(x[:, :2]))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(first), ops.convert_to_numpy(again)
    )
    with pytest.raises(ShapeError, match="keeps the batch size"):
        layer(ops.convert_to_tensor(x[:2]))


def test_stateful_in_a_model_that_is_compiled(backend: Backend) -> None:
    inputs = keras.Input(batch_shape=SHAPE)
    layer = keras.layers.GRU(3, stateful=True)
    model = keras.Model(inputs, layer(inputs))
    x = ops.convert_to_numpy(_inputs())
    first = model.predict(x, batch_size=3, verbose=0)
    second = model.predict(x, batch_size=3, verbose=0)
    assert not np.allclose(first, second)
    layer.reset_state()
    np.testing.assert_array_equal(model.predict(x, batch_size=3, verbose=0), first)


def test_stateful_needs_a_batch_size(backend: Backend) -> None:
    with pytest.raises(ArgumentError, match="batch size"):
        keras.layers.LSTM(3, stateful=True)(keras.Input((4, 2)))


def test_symbolic_states_of_another_layer(backend: Backend) -> None:
    """An encoder hands its states to a decoder, as in translation."""
    source, target = keras.Input((None, 2)), keras.Input((None, 2))
    encoder = keras.layers.LSTM(3, return_state=True)
    _, h, c = encoder(source)
    decoder = keras.layers.LSTM(3, return_sequences=True)
    model = keras.Model([source, target], decoder(target, initial_state=[h, c]))
    assert model.output_shape == (None, None, 3)
    x = _inputs()
    _, h, c = encoder(x)
    expected = decoder(x, initial_state=[h, c])
    assert_near(model([x, x]), expected, 1)
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert_near(again([x, x]), expected, 1)


def test_a_single_masked_step(backend: Backend) -> None:
    layer = keras.layers.GRU(3, use_cudnn=False, return_sequences=True)
    mask = ops.array([[True], [False]])
    y = ops.convert_to_numpy(layer(ops.ones((2, 1, 2)), mask=mask))
    assert y[0].any()
    np.testing.assert_array_equal(y[1], np.zeros((1, 3)))
