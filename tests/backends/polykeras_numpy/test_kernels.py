"""Fused kernels give what the compositions give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import ops
from polykeras.ops.crossentropy import (
    probability_crossentropy,
    probability_crossentropy_gradient,
)
from polykeras.ops.softmax import softmax_gradient

EPSILON = 1e-7


@pytest.fixture(autouse=True)
def numpy_backend() -> Any:
    with keras.use_backend("numpy"):
        yield


def close(actual: Any, expected: Any) -> None:
    # A handful of roundings of sums of 5 numbers.
    np.testing.assert_allclose(actual, expected, rtol=40 * np.finfo("float32").eps)


def data(axis: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(3)
    output = rng.random((4, 5), dtype=np.float32)
    output[0, 0] = 0.0
    output[1] = [0, 0, 1, 0, 0]
    output[2] = np.float32([EPSILON, 1, 0, 0, 0])
    target = rng.random((4, 5), dtype=np.float32)
    g = rng.normal(size=4).astype(np.float32)
    if axis == 0:
        output, target = output.T.copy(), target.T.copy()
    return g, target, output


@pytest.mark.parametrize("axis", [0, 1])
def test_probability_crossentropy(axis: int) -> None:
    g, target, output = data(axis)
    composed = probability_crossentropy.__wrapped__(target, output, axis, EPSILON)
    close(probability_crossentropy(target, output, axis, EPSILON), composed)
    close(
        probability_crossentropy_gradient(g, target, output, axis, EPSILON),
        probability_crossentropy_gradient.__wrapped__(g, target, output, axis, EPSILON),
    )


@pytest.mark.parametrize("axis", [0, 1])
def test_its_gradient_is_that_of_the_steps(axis: int) -> None:
    g, target, output = data(axis)

    def by_steps(x: Any) -> Any:
        share = ops.divide(x, ops.sum(x, axis, keepdims=True))
        logs = ops.log(ops.clip(share, EPSILON, 1 - EPSILON))
        losses = ops.negative(ops.sum(ops.multiply(target, logs), axis))
        return ops.sum(ops.multiply(g, losses))

    expected = keras.grad(by_steps)(output)
    actual = probability_crossentropy_gradient(g, target, output, axis, EPSILON)
    scale = np.abs(expected).max(axis=axis, keepdims=True)
    assert (np.abs(actual - expected) <= 1e-5 * scale).all()


def test_softmax_gradient() -> None:
    g, _, x = data(1)
    out = ops.softmax(x)
    expected = softmax_gradient.__wrapped__(g[:, None] * x, out, (1,))
    actual = softmax_gradient(g[:, None] * x, out, (1,))
    scale = np.finfo("float32").eps * np.abs(out).max()
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=40 * scale)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_where_with_zero_keeps_every_bit(dtype: str) -> None:
    special = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-45, -3.5]
    x = np.array([special, special], dtype)
    condition = np.array([[True] * 7, [False] * 7])
    for other in (0, 0.0, -0.0, 1.0):
        zero = np.asarray(other, dtype)
        actual = ops.where(condition, x, other)
        expected = np.where(condition, x, zero)
        assert actual.dtype == dtype
        assert actual.tobytes() == expected.tobytes()
        strided = ops.where(condition[:, ::2], x[:, ::2], other)
        assert strided.tobytes() == expected[:, ::2].tobytes()


def test_matmul_of_many_axes_is_the_product_of_each() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(7, 40, 30)).astype("float32")
    w = rng.normal(size=(30, 80)).astype("float32")
    first = ops.matmul(x, w)
    second = ops.matmul(x, w + 1)
    assert not np.shares_memory(first, second)
    np.testing.assert_allclose(first, np.matmul(x, w), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(20, 30, 7), (1000, 64), (515, 100), (700, 0)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_over_many_rows(shape: tuple[int, ...], keepdims: bool) -> None:
    axis = tuple(range(len(shape) - 1))
    x = 1 + np.random.default_rng(0).random(shape, dtype=np.float32)
    exact = x.astype("float64").sum(axis, keepdims=keepdims)
    total = ops.sum(x, axis, keepdims=keepdims)
    assert total.shape == exact.shape
    # Adding row by row, which NumPy does, is off by more for a thousand rows.
    np.testing.assert_allclose(total, exact, rtol=8 * np.finfo("float32").eps)


SHAPES = [(), (1,), (7,), (5, 1), (4, 6), (300, 5), (3, 1, 4), (0, 3)]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "bool"])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_recorded_sums_and_means_keep_every_bit(
    shape: tuple[int, ...], keepdims: bool, dtype: str
) -> None:
    values = np.random.default_rng(5).normal(size=shape) * 3
    x = np.asarray(values).astype(dtype)
    if x.size and x.dtype.kind == "f":
        x[(0,) * x.ndim] = -0.0
    axes = [None, *range(x.ndim), *([(0, x.ndim - 1)] if x.ndim > 1 else [])]
    for axis in axes:
        for op in (ops.sum, ops.mean):

            def reduced(x: Any, op: Any = op, axis: Any = axis) -> Any:
                return op(x, axis=axis, keepdims=keepdims)

            recorded = keras.get_backend("numpy").compile(reduced)
            for again in (x, x[::-1].copy() if x.ndim else x):
                want, got = reduced(again), recorded(again)
                assert type(got) is np.ndarray
                assert got.dtype == want.dtype
                assert got.shape == want.shape
                assert got.tobytes() == want.tobytes()
