"""`Bidirectional` and `TimeDistributed`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import masking, ops
from polykeras.backend import Backend
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers import GRU, LSTM, Bidirectional, Dense, Dropout, TimeDistributed
from tests.layers._answers import wave


def _x() -> Any:
    return ops.convert_to_tensor(wave([2, 4, 3], 0.0, 0.7), "float32")


@pytest.mark.parametrize(
    ("mode", "shapes"),
    [
        ("concat", [(2, 4, 4)]),
        ("sum", [(2, 4, 2)]),
        ("ave", [(2, 4, 2)]),
        ("mul", [(2, 4, 2)]),
        (None, [(2, 4, 2), (2, 4, 2)]),
    ],
)
def test_bidirectional_shapes(backend: Backend, mode: Any, shapes: list[Any]) -> None:
    layer = Bidirectional(GRU(2, return_sequences=True), merge_mode=mode)
    found = keras.tree.flatten(layer(_x()))
    assert [tuple(y.shape) for y in found] == shapes
    symbolic = keras.tree.flatten(layer(keras.Input((None, 3))))
    assert [y.shape for y in symbolic] == [(None, None, s[-1]) for s in shapes]
    assert len(layer.get_weights()) == 6


def test_bidirectional_reads_both_ways(backend: Backend) -> None:
    layer = Bidirectional(LSTM(2, return_sequences=True), merge_mode=None)
    layer.build((2, 4, 3))
    half = layer.get_weights()[:3]
    assert not np.array_equal(half[0], layer.get_weights()[3])
    layer.set_weights([*half, *half])
    _, backward = layer(_x())
    forward, _ = layer(ops.flip(_x(), axis=1))
    assert_near(ops.flip(backward, axis=1), forward, 1)


def test_bidirectional_masks(backend: Backend) -> None:
    layer = Bidirectional(GRU(2, return_sequences=True))
    mask = ops.array([[True, True, False, False], [True] * 4])
    x = _x()
    masking.set_mask(x, mask)
    y = layer(x)
    assert masking.get_mask(y) is mask
    y = ops.convert_to_numpy(y)
    np.testing.assert_array_equal(y[0, 2:], np.zeros((2, 4)))
    short = layer(ops.get_item(_x(), (slice(1), slice(2))))
    assert_near(y[:1, :2], short, 64)


def test_bidirectional_states(backend: Backend) -> None:
    layer = Bidirectional(LSTM(2, return_state=True))
    y, *states = layer(_x())
    assert tuple(y.shape) == (2, 4)
    assert len(states) == 4
    np.testing.assert_array_equal(
        ops.convert_to_numpy(y),
        np.concatenate([ops.convert_to_numpy(states[i]) for i in (0, 2)], -1),
    )
    again, *_ = layer(_x(), initial_state=states)
    assert not np.array_equal(ops.convert_to_numpy(again), ops.convert_to_numpy(y))


def test_bidirectional_config_and_names(backend: Backend) -> None:
    back = GRU(3, go_backwards=True, name="back")
    for layer in (
        Bidirectional(LSTM(2, name="memory")),
        Bidirectional(GRU(3), backward_layer=back, merge_mode="ave"),
    ):
        y = layer(_x())
        again = Bidirectional.from_config(layer.get_config())
        again.build((2, 4, 3))
        again.set_weights(layer.get_weights())
        np.testing.assert_array_equal(
            ops.convert_to_numpy(again(_x())), ops.convert_to_numpy(y)
        )
        assert again.get_config() == layer.get_config()
    paths = [v.path for v in Bidirectional(LSTM(2, name="memory"), name="b").weights]
    assert paths == []
    layer = Bidirectional(LSTM(2, name="memory"), name="b")
    layer.build((None, None, 3))
    assert layer.weights[0].path == "b/forward_memory/lstm_cell/kernel"
    assert layer.weights[3].path == "b/backward_memory/lstm_cell/kernel"


def test_bidirectional_begins_with_given_weights(backend: Backend) -> None:
    first = Bidirectional(GRU(2))
    y = first(_x())
    second = Bidirectional(GRU(2), weights=first.get_weights())
    np.testing.assert_array_equal(
        ops.convert_to_numpy(second(_x())), ops.convert_to_numpy(y)
    )


def test_bad_bidirectional() -> None:
    with pytest.raises(ArgumentError, match="Did you mean 'concat'"):
        Bidirectional(GRU(2), merge_mode="concatt")
    with pytest.raises(ArgumentError, match="recurrent layer"):
        Bidirectional(Dense(2))
    with pytest.raises(ArgumentError, match="go_backwards=False"):
        Bidirectional(GRU(2), backward_layer=GRU(2))
    with pytest.raises(ArgumentError, match="agree on return_state"):
        Bidirectional(
            GRU(2), backward_layer=GRU(2, go_backwards=True, return_state=True)
        )


def test_time_distributed_equals_each_step(backend: Backend) -> None:
    inner = Dense(2, activation="relu")
    layer = TimeDistributed(inner)
    y = ops.convert_to_numpy(layer(_x()))
    for t in range(4):
        assert_near(y[:, t], inner(ops.get_item(_x(), (slice(None), t))), 8)
    assert layer(keras.Input((None, 3))).shape == (None, None, 2)
    again = TimeDistributed.from_config(layer.get_config())
    again.build((2, 4, 3))
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(ops.convert_to_numpy(again(_x())), y)


def test_time_distributed_passes_training_and_mask(backend: Backend) -> None:
    layer = TimeDistributed(Dropout(0.5, seed=1))
    x = ops.ones((3, 4, 5))
    masking.set_mask(x, ops.ones((3, 4), dtype="bool"))
    y = layer(x, training=True)
    assert set(np.unique(ops.convert_to_numpy(y))) == {0.0, 2.0}
    assert masking.get_mask(y) is not None
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(x)), np.ones((3, 4, 5)))


def test_bad_time_distributed(backend: Backend) -> None:
    with pytest.raises(ArgumentError, match="wraps a layer"):
        TimeDistributed("dense")
    with pytest.raises(ShapeError, match="batch, time"):
        TimeDistributed(Dense(2))(ops.ones((2, 3)))
    with pytest.raises(ShapeError, match="mask"):
        TimeDistributed(Dense(2))(_x(), mask=ops.ones((2, 3), dtype="bool"))
