"""Cases of `polykeras.ops.recurrence` and `polykeras.ops.attention`.

The references are loops over time, and attention written out.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import scipy.special

from polykeras.conformance._bounds import Bound, composed
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import Draw, call, given, real
from polykeras.conformance.cases._builders import refused
from polykeras.conformance.cases.activations import sigmoid
from polykeras.errors import ArgumentError, ShapeError

__all__ = ["CASES"]

_WIDE: Final = ("float32", "float64")
_B, _T, _F, _U = 3, 5, 2, 4
_MASK: Final = given(
    [[1, 1, 1, 1, 1], [0, 1, 0, 1, 1], [1, 1, 0, 0, 0]], "bool"
).constant()
# Each step rounds some 2 (F + U) times, and gates pass on at most what they got.
_STEPS: Final[Bound] = composed(
    2.0 * _T * (_F + _U) + 16,
    "5 steps of sums of 6 products, a logistic function and tanh",
    scale=lambda *args, **how: 2.0,
)


def _weights(*shape: int) -> Draw:
    return real(*shape, low=-0.6, high=0.6)


def _loop(cell: Any, x: Any, states: list[Any], mask: Any, reverse: bool) -> Any:
    """Loop over time; masked steps keep the state and repeat the output."""
    if reverse:
        x, mask = x[:, ::-1], None if mask is None else mask[:, ::-1]
    outputs, out = [], np.zeros_like(states[0])
    for t in range(x.shape[1]):
        new = cell(x[:, t], *states)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None] > 0
        states = [np.where(keep, n, s) for n, s in zip(new, states, strict=True)]
        out = np.where(keep, new[0], out)
        outputs.append(out)
    return (np.stack(outputs, 1), *states)


def _lstm(
    x: Any,
    h0: Any,
    c0: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    mask: Any = None,
    reverse: bool = False,
) -> Any:
    def cell(x: Any, h: Any, c: Any) -> Any:
        z = x @ kernel + h @ recurrent_kernel + (0 if bias is None else bias)
        i, f, a, o = np.split(z, 4, -1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(a)
        return sigmoid(o) * np.tanh(c), c

    return _loop(cell, x, [h0, c0], mask, reverse)


def _gru(
    x: Any,
    h0: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    mask: Any = None,
    reverse: bool = False,
    reset_after: bool = True,
) -> Any:
    def cell(x: Any, h: Any) -> Any:
        rows = (0.0, 0.0)
        if bias is not None:
            rows = tuple(bias) if reset_after else (bias, 0.0)
        xz, xr, xc = np.split(x @ kernel + rows[0], 3, -1)
        if reset_after:
            hz, hr, hc = np.split(h @ recurrent_kernel + rows[1], 3, -1)
            z, r = sigmoid(xz + hz), sigmoid(xr + hr)
            candidate = np.tanh(xc + r * hc)
        else:
            uz, ur, uc = np.split(recurrent_kernel, 3, -1)
            z, r = sigmoid(xz + h @ uz), sigmoid(xr + h @ ur)
            candidate = np.tanh(xc + (r * h) @ uc)
        return (z * h + (1 - z) * candidate,)

    return _loop(cell, x, [h0], mask, reverse)


def _rnn(
    x: Any,
    h0: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    mask: Any = None,
    reverse: bool = False,
) -> Any:
    def cell(x: Any, h: Any) -> Any:
        z = x @ kernel + h @ recurrent_kernel + (0 if bias is None else bias)
        return (np.tanh(z),)

    return _loop(cell, x, [h0], mask, reverse)


def _attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
) -> Any:
    groups = query.shape[2] // key.shape[2]
    key, value = np.repeat(key, groups, 2), np.repeat(value, groups, 2)
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    logits = np.einsum("btnh,bsnh->bnts", query, key) * factor
    logits = logits if bias is None else logits + bias
    seen = np.ones(logits.shape, bool) if mask is None else mask > 0
    if is_causal:
        seen = seen & (np.tri(*logits.shape[-2:]) > 0)
    weights = scipy.special.softmax(np.where(seen, logits, -1e30), -1)
    return np.einsum("bnts,bsnh->btnh", weights, value)


def _sequences(*more: Any, **said: Any) -> Any:
    return call(real(_B, _T, _F), real(_B, _U), *more, **said)


CASES: Final = (
    OpCase(
        "lstm",
        (
            _sequences(
                real(_B, _U),
                _weights(_F, 4 * _U),
                _weights(_U, 4 * _U),
                _weights(4 * _U),
            ),
            _sequences(
                real(_B, _U),
                _weights(_F, 4 * _U),
                _weights(_U, 4 * _U),
                mask=_MASK,
                reverse=True,
            ),
        ),
        _lstm,
        _STEPS,
        _WIDE,
        (None, None, None),
        gradient=2,
        errors=(
            ErrorSample(
                call(
                    real(2, 3, 4),
                    real(2, 5),
                    real(2, 5),
                    real(3, 20),
                    real(5, 20),
                ),
                ShapeError,
                ("lstm", "(3, 20)"),
            ),
        ),
    ),
    OpCase(
        "gru",
        (
            _sequences(_weights(_F, 3 * _U), _weights(_U, 3 * _U), _weights(2, 3 * _U)),
            _sequences(
                _weights(_F, 3 * _U),
                _weights(_U, 3 * _U),
                _weights(3 * _U),
                reset_after=False,
                mask=_MASK,
            ),
            _sequences(_weights(_F, 3 * _U), _weights(_U, 3 * _U), reverse=True),
        ),
        _gru,
        _STEPS,
        _WIDE,
        (None, None),
        gradient=2,
        errors=(
            refused(
                ArgumentError,
                call(real(2, 3, 4), real(2, 5), real(4, 15), real(5, 15), None, "gelu"),
                "'gelu'",
            ),
            refused(
                ShapeError,
                call(real(2, 3, 4), real(2, 5), real(4, 15), real(5, 15), real(15)),
                "(2, 15)",
            ),
        ),
    ),
    OpCase(
        "simple_rnn",
        (
            _sequences(_weights(_F, _U), _weights(_U, _U), _weights(_U)),
            _sequences(_weights(_F, _U), _weights(_U, _U), mask=_MASK, reverse=True),
        ),
        _rnn,
        _STEPS,
        _WIDE,
        (None, None),
        gradient=2,
        errors=(
            refused(
                ShapeError,
                call(real(3, 4), real(2, 5), real(4, 5), real(5, 5)),
                "(batch, time, features)",
            ),
            refused(
                ArgumentError,
                call(real(2, 3, 4), real(2, 5), real(4, 5), real(5, 5), None, "gelu"),
                "'gelu'",
            ),
        ),
    ),
    OpCase(
        "dot_product_attention",
        (
            call(real(2, 3, 2, 4), real(2, 5, 2, 4), real(2, 5, 2, 4)),
            call(
                real(2, 4, 2, 3),
                real(2, 4, 2, 3),
                real(2, 4, 2, 3),
                is_causal=True,
                scale=0.5,
            ),
            call(real(1, 3, 4, 2), real(1, 3, 2, 2), real(1, 3, 2, 2)),
            call(
                real(1, 3, 2, 4),
                real(1, 3, 2, 4),
                real(1, 3, 2, 4),
                bias=real(1, 2, 3, 3),
                mask=given(np.tri(3, k=1)[None, None], "bool").constant(),
            ),
        ),
        _attention,
        composed(
            64,
            "sums of 4 products, exponentials of them, and sums of 5 products",
            scale=lambda *args, **how: 2.0,
        ),
        ("float32", "float64"),
        gradient=2,
        slope_tolerance=1e-6,
        errors=(
            ErrorSample(
                call(real(2, 3, 2, 4), real(2, 5, 2, 3), real(2, 5, 2, 3)),
                ShapeError,
                ("(2, 3, 2, 4)", "(2, 5, 2, 3)"),
            ),
        ),
    ),
)
