"""`SimpleRNN`, `LSTM` and `GRU`: what all three must do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.backend import Backend, get_backend, use_backend
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError, ShapeError
from tests.layers._answers import pattern, wave

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


def _flat(outputs: Any) -> list[Any]:
    return [ops.convert_to_numpy(y) for y in keras.tree.flatten(outputs)]


@pytest.mark.parametrize("masked", [False, True], ids=["back", "masked"])
@pytest.mark.parametrize("cls", LAYERS)
def test_whole_sequences_equal_stepping(
    backend: Backend, cls: str, masked: bool
) -> None:
    args = {"go_backwards": not masked}
    layer = _layer(cls, return_sequences=True, return_state=True, **args)
    stepped = keras.layers.RNN(
        layer.cell, return_sequences=True, return_state=True, **args
    )
    mask = ops.convert_to_tensor(pattern(list(SHAPE[:2]))) if masked else None
    for a, b in zip(
        _flat(layer(_inputs(), mask=mask)),
        _flat(stepped(_inputs(), mask=mask)),
        strict=True,
    ):
        assert_near(a, b, 64)


@pytest.mark.parametrize("cls", ["LSTM", "GRU"])
def test_use_cudnn_false_steps_to_the_same_results(backend: Backend, cls: str) -> None:
    a = _layer(cls)(_inputs())
    b = _layer(cls, use_cudnn=False)(_inputs())
    assert_near(a, b, 64)


@pytest.mark.parametrize("cls", LAYERS)
def test_hidden_steps_do_not_matter(backend: Backend, cls: str) -> None:
    layer, mask = _layer(cls), pattern(list(SHAPE[:2]))
    x = wave(list(SHAPE), 0.0, 0.7).astype("float32")
    changed = np.where(mask[..., None], x, np.float32(9.0))
    mask = ops.convert_to_tensor(mask)
    a = layer(ops.convert_to_tensor(x), mask=mask)
    b = layer(ops.convert_to_tensor(changed), mask=mask)
    np.testing.assert_array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))


@pytest.mark.parametrize(
    ("cls", "implementation"), [("SimpleRNN", 2), ("LSTM", 1), ("GRU", 1), ("GRU", 2)]
)
def test_dropout_has_the_same_bits_everywhere(
    backend: Backend, cls: str, implementation: int
) -> None:
    args = {
        "dropout": 0.5,
        "recurrent_dropout": 0.25 if implementation == 1 else 0.0,
        "seed": 3,
        "implementation": implementation,
        "dtype": "float64",
    }
    with use_backend(get_backend("numpy")):
        expected = ops.convert_to_numpy(
            _layer(cls, **args)(_inputs("float64"), training=True)
        )
    found = _layer(cls, **args)(_inputs("float64"), training=True)
    assert_near(found, expected, 64)


def test_dropout_masks_are_the_same_for_all_steps(backend: Backend) -> None:
    layer = keras.layers.SimpleRNN(
        2,
        activation=None,
        use_bias=False,
        kernel_initializer="identity",
        recurrent_initializer="zeros",
        dropout=0.5,
        seed=1,
        return_sequences=True,
    )
    y = ops.convert_to_numpy(layer(ops.ones((8, 5, 2)), training=True))
    assert set(np.unique(y)) == {0.0, 2.0}
    np.testing.assert_array_equal(y, np.repeat(y[:, :1], 5, axis=1))


def test_forget_bias_begins_at_one(backend: Backend) -> None:
    layer = keras.layers.LSTM(2)
    layer.build((None, None, 3))
    bias = layer.get_weights()[2]
    np.testing.assert_array_equal(bias, [0, 0, 1, 1, 0, 0, 0, 0])
    assert layer.cell.bias.path == f"{layer.name}/lstm_cell/bias"


def test_regularizers_add_to_the_loss(backend: Backend) -> None:
    layer = keras.layers.GRU(
        2,
        kernel_regularizer="l2",
        recurrent_regularizer="l1",
        bias_regularizer="l2",
        activity_regularizer="l2",
    )
    layer(_inputs())
    assert len(layer.losses) == 4


BAD = [
    ("LSTM", {"units": 0}, "positive number of units"),
    ("GRU", {"units": 2, "dropout": 1.5}, "0 <= dropout < 1"),
    ("SimpleRNN", {"units": 2, "recurrent_dropout": -1}, "0 <= recurrent_dropout"),
    ("LSTM", {"units": 2, "implementation": 3}, "implementations 1 and 2"),
    ("GRU", {"units": 2, "use_cudnn": "yes"}, "use_cudnn"),
    ("LSTM", {"units": 2, "activation": "tanhh"}, "tanh"),
]


@pytest.mark.parametrize(("cls", "args", "said"), BAD)
def test_bad_arguments(cls: str, args: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        getattr(keras.layers, cls)(**args)


def test_bad_inputs(backend: Backend) -> None:
    layer = _layer("LSTM")
    with pytest.raises(ShapeError, match="mask"):
        layer(_inputs(), mask=ops.ones((3, 5), dtype="bool"))
    with pytest.raises(ArgumentError, match="2 states"):
        layer(_inputs(), initial_state=ops.zeros((3, 3)))
    with pytest.raises(ShapeError, match="batch sizes differ"):
        layer(_inputs(), initial_state=[ops.zeros((2, 3))] * 2)
