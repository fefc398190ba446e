"""`RNN` with cells of users, and `StackedRNNCells`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.backend import Backend, Tensor
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers import RNN, GRUCell, LSTMCell


class Sums(keras.Layer):
    """Add up its inputs, as simple as a cell can be."""

    def __init__(self, state_size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.state_size = state_size

    def call(self, inputs: Tensor, states: Any) -> tuple[Tensor, Any]:
        total = ops.add(inputs, states[0])
        return ops.multiply(total, 2.0), [total]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "state_size": self.state_size}


def _sequences() -> Tensor:
    return ops.reshape(ops.arange(1.0, 7.0), (1, 3, 2))


def test_a_cell_of_a_user(backend: Backend) -> None:
    y, state = RNN(Sums(2), return_sequences=True, return_state=True)(_sequences())
    np.testing.assert_array_equal(
        ops.convert_to_numpy(y), [[[2, 4], [8, 12], [18, 24]]]
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(state), [[9, 12]])


def test_unrolling_changes_nothing(backend: Backend) -> None:
    a, b = RNN(Sums(2), unroll=True), RNN(Sums(2))
    assert_near(a(_sequences()), b(_sequences()), 1)


def test_masked_steps_repeat_or_are_zero(backend: Backend) -> None:
    mask = ops.array([[False, True, False]])
    y, state = RNN(Sums(2), return_sequences=True, return_state=True)(
        _sequences(), mask=mask
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(y), [[[0, 0], [6, 8], [6, 8]]])
    np.testing.assert_array_equal(ops.convert_to_numpy(state), [[3, 4]])
    layer = RNN(Sums(2), return_sequences=True, zero_output_for_mask=True)
    y = layer(_sequences(), mask=mask)
    np.testing.assert_array_equal(ops.convert_to_numpy(y), [[[0, 0], [6, 8], [0, 0]]])


def test_config_of_a_cell_of_a_user(backend: Backend) -> None:
    layer = RNN([Sums(2), Sums(2)], go_backwards=True)
    with keras.saving.CustomObjectScope({"Sums": Sums}):
        again = RNN.from_config(layer.get_config())
    assert again.go_backwards
    assert_near(again(_sequences()), layer(_sequences()), 1)


def test_states_of_a_stack(backend: Backend) -> None:
    layer = RNN([LSTMCell(3), GRUCell(2)], return_state=True)
    assert layer.state_size == [[3, 3], 2]
    y, (h, c), last = layer(ops.ones((2, 4, 5)))
    assert tuple(h.shape) == tuple(c.shape) == (2, 3)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(y), ops.convert_to_numpy(last[0])
    )
    again, *_ = layer(ops.ones((2, 4, 5)), initial_state=[[h, c], last])
    assert tuple(again.shape) == (2, 2)


def test_stack_of_cells_drops_each_layer(backend: Backend) -> None:
    cells = [
        LSTMCell(3, dropout=0.5, seed=1),
        GRUCell(2, recurrent_dropout=0.5, seed=2),
    ]
    layer, x = RNN(cells), ops.ones((2, 4, 5))
    still, a, b = layer(x), layer(x, training=True), layer(x, training=True)
    for p, q in ((still, a), (a, b)):
        assert not np.array_equal(ops.convert_to_numpy(p), ops.convert_to_numpy(q))


def test_no_cell() -> None:
    with pytest.raises(ArgumentError, match="needs a cell"):
        RNN("cell")
    with pytest.raises(ArgumentError, match="state_size"):
        RNN(keras.layers.Dense(3))
    with pytest.raises(ArgumentError, match="at least one cell"):
        RNN([])


def test_no_steps(backend: Backend) -> None:
    with pytest.raises(ShapeError, match="at least one step"):
        RNN(Sums(2))(ops.ones((1, 0, 2)))
