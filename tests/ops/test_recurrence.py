"""Recurrences, against loops over plain NumPy cells."""

from __future__ import annotations

import numpy as np
import pytest

from polykeras import ops
from polykeras.errors import ArgumentError, ShapeError
from tests.ops._checks import check_abstract, check_gradient, check_values, raised

RNG = np.random.default_rng(11)
B, T, F, U = 3, 5, 2, 4
X = RNG.normal(size=(B, T, F))
STATES = RNG.normal(size=(2, B, U))
MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 0, 1, 1], [1, 1, 0, 0, 0]], bool)
ACTIVATIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "linear": lambda x: x,
}


def weights(gates, *, bias=True, rows=()):
    rng = np.random.default_rng(gates)
    kernel, recurrent = rng.normal(size=(2, max(F, U), gates * U)) * 0.4
    kernel, recurrent = kernel[:F], recurrent[:U]
    return kernel, recurrent, rng.normal(size=(*rows, gates * U)) if bias else None


def run(cell, x, states, mask, reverse):
    """Loop over time; masked steps keep the state and repeat the output."""
    if reverse:
        x, mask = x[:, ::-1], None if mask is None else mask[:, ::-1]
    outputs, out = [], np.zeros_like(states[0])
    for t in range(x.shape[1]):
        new = cell(x[:, t], *states)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        states = [np.where(keep, n, s) for n, s in zip(new, states, strict=True)]
        out = np.where(keep, new[0], out)
        outputs.append(out)
    return (np.stack(outputs, 1), *states)


def lstm_reference(x, h, c, kernel, recurrent, bias, act, gate, mask, reverse):
    act, gate = ACTIVATIONS[act], ACTIVATIONS[gate]

    def cell(x, h, c):
        z = x @ kernel + h @ recurrent + (0 if bias is None else bias)
        i, f, a, o = np.split(z, 4, -1)
        c = gate(f) * c + gate(i) * act(a)
        return gate(o) * act(c), c

    return run(cell, x, [h, c], mask, reverse)


def gru_reference(x, h, kernel, recurrent, bias, act, gate, mask, reverse, after):
    act, gate = ACTIVATIONS[act], ACTIVATIONS[gate]
    outer = 0 if bias is None else (bias[0] if after else bias)
    inner = bias[1] if bias is not None and after else np.zeros(3 * U)

    def cell(x, h):
        xu, xr, xa = np.split(x @ kernel + outer, 3, -1)
        ru, rr, ra = np.split(h @ recurrent + inner, 3, -1)
        u, r = gate(xu + ru), gate(xr + rr)
        ra = r * ra if after else (r * h) @ recurrent[:, 2 * U :]
        return (u * h + (1 - u) * act(xa + ra),)

    return run(cell, x, [h], mask, reverse)


def rnn_reference(x, h, kernel, recurrent, bias, act, mask, reverse):
    add = 0 if bias is None else bias

    def cell(x, h):
        return (ACTIVATIONS[act](x @ kernel + h @ recurrent + add),)

    return run(cell, x, [h], mask, reverse)


# Differences across a bend, or of something steep, need points close together.
SMOOTH = {"step": 3e-4, "tolerance": 1e-6}
BENT = {"step": 1e-6, "tolerance": 1e-5}
PAIRS = [("tanh", "sigmoid"), ("relu", "hard_sigmoid"), ("linear", "tanh")]


def check_derivative(backend, op, args, setting, bias, bounds):
    """Check every setting of the tape, and of a library its plainest and fullest."""
    native = backend.capabilities.autodiff == "native"
    chosen = setting is SETTINGS[0] or setting is SETTINGS[-1]
    if not native or (bias and chosen):
        check_gradient(op, args, **bounds)


SETTINGS = [(None, False), (None, True), (MASK, False), (MASK, True)]
NAMES = ["plain", "reverse", "mask", "mask reverse"]


@pytest.mark.parametrize("setting", SETTINGS, ids=NAMES)
@pytest.mark.parametrize("names", PAIRS, ids=str)
def test_lstm(backend, names, setting):
    for bias in (True, False):
        args = (X, *STATES, *weights(4, bias=bias), *names, *setting)
        expected = lstm_reference(*args)
        check_values(check_abstract(ops.lstm, *args), expected, ulp=400, scale=4)
        bounds = SMOOTH if "sigmoid" in names else BENT
        check_derivative(backend, ops.lstm, args, setting, bias, bounds)


@pytest.mark.parametrize("setting", SETTINGS, ids=NAMES)
@pytest.mark.parametrize("names", PAIRS, ids=str)
@pytest.mark.parametrize("after", [True, False])
def test_gru(backend, names, setting, after):
    for bias in (True, False):
        rows = (2,) if after else ()
        given = weights(3, bias=bias, rows=rows)
        args = (X, STATES[0], *given, *names, *setting, after)
        expected = gru_reference(*args)
        check_values(check_abstract(ops.gru, *args), expected, ulp=400, scale=4)
        bounds = SMOOTH if "sigmoid" in names else BENT
        check_derivative(backend, ops.gru, args, setting, bias, bounds)


@pytest.mark.parametrize("setting", SETTINGS, ids=NAMES)
@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_simple_rnn(backend, name, setting):
    for bias in (True, False):
        args = (X, STATES[0], *weights(1, bias=bias), name, *setting)
        expected = rnn_reference(*args)
        check_values(check_abstract(ops.simple_rnn, *args), expected, ulp=400, scale=4)
        bounds = SMOOTH if name == "tanh" else BENT
        check_derivative(backend, ops.simple_rnn, args, setting, bias, bounds)


@pytest.mark.parametrize("mask", [None, MASK[:2, :3]], ids=["plain", "mask"])
def test_second_derivatives(backend, mask):
    x, h, c = X[:2, :3], STATES[0, :2], STATES[1, :2]
    k4, r4, b4 = weights(4)
    k3, r3, b3 = weights(3, rows=(2,))
    k1, r1, b1 = weights(1)
    check_gradient(
        lambda *a: ops.lstm(*a, "tanh", "sigmoid", mask), [x, h, c, k4, r4, b4], 2
    )
    check_gradient(
        lambda *a: ops.gru(*a, "tanh", "sigmoid", mask), [x, h, k3, r3, b3], 2
    )
    check_gradient(
        lambda *a: ops.gru(*a, "tanh", "sigmoid", mask, False, False),
        [x, h, k3, r3, b3[0]],
        2,
    )
    check_gradient(lambda *a: ops.simple_rnn(*a, "tanh", mask), [x, h, k1, r1, b1], 2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_dtypes(backend, dtype):
    args = [ops.cast(a, dtype) for a in (X, *STATES, *weights(4))]
    found = check_abstract(ops.lstm, *args)
    assert {ops.dtype(a) for a in found} == {dtype}


def test_errors(backend):
    kernel, recurrent, bias = weights(4)
    args = (X, *STATES, kernel, recurrent, bias)
    message = raised(ArgumentError, ops.lstm, *args, "gelu")
    assert "'gelu'" in message
    assert "(batch, time, features)" in raised(ShapeError, ops.lstm, X[0], *args[1:])
    message = raised(ShapeError, ops.lstm, *args[:3], kernel.T, *args[4:])
    assert "the kernel of shape (2, 16)" in message
    assert "the mask of shape (3, 5)" in raised(
        ShapeError, ops.lstm, *args, "tanh", "sigmoid", MASK.T
    )
    gru = weights(3, rows=(2,))
    assert "a bias of shape (2, 12)" in raised(
        ShapeError, ops.gru, X, STATES[0], *gru[:2], gru[2][0]
    )
