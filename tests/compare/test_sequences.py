"""Recurrent layers, step by step along time."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.compare._page import page
from tests.compare._models import Faulty, batch

TIME = 6


def recurrent(layer):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((TIME, 3)), layer], name="m")


def curves(report):
    return {(i.name, i.engine): i.curve for i in report.layers if i.curve is not None}


def test_every_backend_shows_the_steps_of_its_own_loops(backend):
    model = recurrent(layers.Bidirectional(layers.LSTM(2, name="lstm"), name="both"))
    report = keras.compare(model, backends=[backend.name], steps=0)
    assert report.consistent
    found = curves(report)
    name = backend.name
    assert set(found) == {
        ("m/both/forward_lstm", name),
        ("m/both/backward_lstm", name),
    }
    for curve in found.values():
        assert len(curve.errors) == len(curve.local_bounds) == TIME
        assert curve.first_bad is curve.local_first_bad is None
        assert all(0 <= e <= b for e, b in zip(curve.errors, curve.bounds, strict=True))


def test_an_op_for_sequences_that_errs_from_a_step_on_is_dated():
    def late(right, *args):
        outputs, *states = ops.lstm.op.fn(*args)
        outputs = outputs.copy()
        outputs[:, 3:] *= np.float32(1.01)
        return (outputs, *states)

    model = recurrent(layers.LSTM(4, return_sequences=True, name="lstm"))
    report = keras.compare(model, backends=[Faulty({"lstm": late}), "numpy"], steps=0)
    first = report.first_divergence
    assert (first.name, first.ops[0].op) == ("m/lstm", "lstm")
    assert (first.curve.first_bad, first.curve.local_first_bad) == (4, None)
    assert "outputs are off from step 4, the cell by itself" in first.sentence()
    assert curves(report)["m/lstm", "numpy"].first_bad is None


@pytest.mark.parametrize("backwards", [False, True])
def test_a_cell_that_errs_for_some_inputs_is_dated(backwards):
    def wrong(right, x):
        return right(x) * np.where(x > 2, np.float32(1.01), np.float32(1))

    cell = layers.SimpleRNNCell(3, kernel_initializer="ones", name="cell")
    model = recurrent(layers.RNN(cell, go_backwards=backwards, name="rnn"))
    x = np.zeros((2, TIME, 3), "float32")
    x[:, 3] = 3
    report = keras.compare(model, x, backends=[Faulty({"tanh": wrong})], steps=0)
    curve = curves(report)["m/rnn", "faulty"]
    step = TIME - 3 if backwards else 4
    assert curve.first_bad == curve.local_first_bad == step
    assert curve.local_errors[step - 2] == 0


def test_masked_steps_keep_the_reference_s_states():
    model = keras.Sequential(
        [
            keras.Input((TIME, 3)),
            layers.Masking(name="mask"),
            layers.GRU(4, name="gru"),
        ],
        name="m",
    )
    x = batch(3, TIME, 3)
    x[0, 2:4] = x[1, :2] = 0
    report = keras.compare(model, x, backends=["numpy"], steps=0)
    curve = curves(report)["m/gru", "numpy"]
    assert curve.first_bad is curve.local_first_bad is None
    assert report.consistent


def test_steps_are_drawn_on_the_page():
    model = recurrent(layers.GRU(2, name="gru"))
    text = page(keras.compare(model, backends=["numpy"], steps=0))
    assert "Along time" in text
    assert "m/gru on numpy" in text
