"""Ops on single numbers, comparisons and logic."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.peer._case import Case, Draw, complexes, floats, given, ints, op

__all__ = ["CASES"]

X = floats(2, 3, low=-2, high=2)
ROW = floats(3, low=-2, high=2)
POSITIVE = floats(2, 3, low=0.1, high=3)
UNIT = floats(2, 3, low=-0.9, high=0.9)
ABOVE = floats(2, 3, low=1.1, high=4)
INTS = ints(9, 2, 3, low=-9)
BYTES = ints(200, 2, 3, dtype="uint8")
HALVES = given([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
ODD = given([[np.nan, np.inf, -np.inf], [0.0, -0.0, 2.5]])
BOOLS = given([[True, False, True], [False, False, True]], "bool")
OTHERS = given([[True, True, False], [False, True, True]], "bool")


def each(names: str, *args: Any, **about: Any) -> list[Case]:
    return [op(f"ops.{name}", *args, about=about) for name in names.split()]


def plain(names: str, *args: Any, **about: Any) -> list[Case]:
    """Ops without a slope."""
    return each(names, *args, gradient=False, **about)


UNARY = [
    *each(
        "abs absolute arcsinh arctan ceil conj conjugate copy cos cosh deg2rad erf "
        "erfc exp exp2 expm1 fabs floor negative rad2deg real round sigmoid sign sin "
        "sinh square tan tanh trunc stop_gradient array convert_to_tensor",
        X,
    ),
    *each("log log10 log1p log2 reciprocal rsqrt sqrt", POSITIVE),
    *each("arccos arcsin arctanh erfinv", UNIT),
    *each("arccosh", ABOVE),
    *each(
        "abs absolute ceil conj floor negative real round sign square trunc copy array",
        INTS,
    ),
    *each("cos exp exp2 log1p sin sqrt tanh log reciprocal", ints(9, 3, low=1)),
    *each("abs ceil floor sign square sqrt", BYTES),
    *each(
        "arcsinh arctan cosh deg2rad erfc expm1 fabs rad2deg sinh tan",
        ints(3, 3, low=-3),
    ),
    *each("log10 log2 arccosh", ints(9, 3, low=1)),
    *each("erf sigmoid", floats(5, low=-9, high=9)),
    *each("rsqrt", floats(4, low=4, high=900)),
    *each("arccos arcsin arctanh erfinv", floats(3, low=-0.2, high=0.2)),
    *each("exp", ints(20, 2, 3, dtype="uint8")),
    *each("abs sin square negative", complexes(2, 3)),
    *plain("angle conj conjugate imag real isreal", complexes(2, 3)),
    *plain("angle imag", X),
    *plain("round", HALVES),
    op("ops.round", floats(2, 3, low=-20, high=20), 2, about={"gradient": False}),
    op("ops.round", floats(2, 3, low=-200, high=200), decimals=-1),
    *plain("isfinite isinf isnan isneginf isposinf isreal sign", ODD),
    *plain("isfinite isinf isnan isneginf isposinf", INTS),
    op("ops.nan_to_num", given([[np.nan, 1.0]]), about={"gradient": False}),
    op("ops.nan_to_num", ODD, nan=1.0, posinf=9.0, neginf=-9.0),
    *plain("logical_not", BOOLS),
    *plain("logical_not", INTS),
    *plain("bitwise_invert bitwise_not", INTS),
    *plain("bitwise_invert bitwise_not", BYTES),
]
ACTIVATIONS = [
    *each(
        "elu hard_sigmoid hard_silu hard_swish hard_tanh log_sigmoid "
        "log_softmax relu relu6 selu silu softmax softplus softsign swish",
        floats(2, 4, low=-4, high=4),
    ),
    *each("gelu leaky_relu", floats(2, 4, low=-4, high=4)),
    *each(
        "hard_sigmoid hard_silu hard_swish hard_tanh log_sigmoid relu relu6 selu silu "
        "softplus softsign swish",
        floats(5, low=-90, high=90),
    ),
    op("ops.elu", X, alpha=0.5),
    op("ops.gelu", X, approximate=False),
    op("ops.leaky_relu", X, negative_slope=0.125),
    op("ops.softmax", floats(2, 3, 2), axis=(0, 2)),
    op("ops.softmax", X, axis=None),
    op("ops.log_softmax", X, axis=0),
    op("ops.softmax", given([[1e4, 1e4, -1e4]])),
    op("ops.logsumexp", X),
    op("ops.logsumexp", X, axis=1, keepdims=True),
    op("ops.logsumexp", given([[1e4, 1e4, -1e4]]), axis=-1),
]
PAIRS: tuple[tuple[Draw, Draw], ...] = ((X, ROW), (INTS, ints(9, 3, low=1)))
BINARY = [
    *(
        case
        for a, b in PAIRS
        for case in each("add divide divide_no_nan multiply subtract true_divide", a, b)
    ),
    *each("maximum minimum", X, ROW),
    *each("maximum minimum add multiply", INTS, ints(9, 3)),
    *each("add multiply subtract", X, 2),
    *each("add multiply divide", INTS, 0.5),
    *each("add multiply maximum", BYTES, INTS),
    *each("add multiply subtract", INTS, X),
    *each("add multiply divide", complexes(2, 3), complexes(3)),
    *each("divide_no_nan", X, given([[0.0, 1.0, 2.0]])),
    *each("floor_divide mod", floats(2, 3, low=-5, high=5), floats(3, low=0.5, high=2)),
    *each("floor_divide mod", INTS, ints(5, 3, low=1)),
    *each("floor_divide mod", INTS, given([-2, 3, -4], "int32")),
    *each("power", POSITIVE, ROW),
    *each("power", X, 3),
    *each("power", ints(5, 3, low=-4), ints(4, 3)),
    *each("arctan2 logaddexp", X, ROW),
    *each("arctan2", given([0.0, 1.0, -1.0]), given([-1.0, 0.5, -0.5])),
    *each("logaddexp", ints(5, 3), ints(5, 3)),
    op("ops.clip", X, -0.5, 1.0),
    op("ops.clip", INTS, -2, 3),
    op("ops.clip", X, given([-0.5, 0.0, 0.5]), 1.0, about={"gradient": False}),
]
COMPARISONS = [
    *(
        case
        for a, b in (
            (X, ROW),
            (ints(3, 2, 3), ints(3, 3)),
            (INTS, 1.5),
            (ODD, given([[np.nan, np.inf, 1.0], [0.0, 0.0, 2.5]])),
        )
        for case in plain("equal greater greater_equal less less_equal not_equal", a, b)
    ),
    *plain("logical_and logical_or logical_xor", BOOLS, OTHERS),
    *plain("logical_and logical_or logical_xor", ints(2, 2, 3), X),
    *plain("isclose", X, ROW),
    *plain("isclose", given([1.0, 1e10, np.nan]), given([1.00001, 1.00001e10, np.nan])),
    op("ops.isclose", given([1.0, 2.0]), given([1.1, 2.5]), rtol=0.2),
    op("ops.isclose", given([np.nan]), given([np.nan]), equal_nan=True),
    *plain("allclose", X, ROW),
    op("ops.allclose", given([1.0, 2.0]), given([1.1, 2.1]), atol=0.2),
    op("ops.isin", ints(5, 2, 3), ints(5, 4)),
    op("ops.isin", ints(5, 2, 3), ints(5, 2), invert=True),
]
BITS = [
    *plain("bitwise_and bitwise_or bitwise_xor", INTS, ints(9, 3)),
    *plain("bitwise_and bitwise_or bitwise_xor", BYTES, ints(9, 3, dtype="uint8")),
    *plain(
        "bitwise_left_shift bitwise_right_shift left_shift right_shift",
        INTS,
        ints(4, 3),
    ),
]
CASES = [*UNARY, *ACTIVATIONS, *BINARY, *COMPARISONS, *BITS]
