"""`EinsumDense`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras.backend import Backend
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError, ShapeError


@pytest.mark.parametrize(
    ("equation", "output", "shape", "bias", "kernel_shape", "bias_shape"),
    [
        ("abc,cde->abde", (None, 2, 4), (2, 5, 3), "e", (3, 2, 4), (4,)),
        ("abc,cde->abde", (None, 2, 4), (2, 5, 3), "d", (3, 2, 4), (2, 1)),
        ("ab...,bc->ac...", 4, (2, 3, 5, 6), "c", (3, 4), (4, 1, 1)),
        ("...ab,bc->...ac", (5, 4), (7, 2, 5, 3), "c", (3, 4), (4,)),
    ],
)
def test_shapes_of_weights(
    equation: str,
    output: Any,
    shape: Any,
    bias: str,
    kernel_shape: Any,
    bias_shape: Any,
) -> None:
    layer = keras.layers.EinsumDense(equation, output, bias_axes=bias)
    layer.build(shape)
    assert layer.kernel.shape == kernel_shape
    assert layer.bias.shape == bias_shape


def test_equals_dense(backend: Backend) -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    dense = keras.layers.Dense(4)
    expected = dense(x)
    layer = keras.layers.EinsumDense("...x,xy->...y", 4, bias_axes="y")
    layer.build(x.shape)
    layer.set_weights(dense.get_weights())
    assert_near(layer(x), expected, terms=3)


@pytest.mark.parametrize("equation", ["ab->b", "ab,bc", "...a,ab->b", "a1,1b->ab"])
def test_refuses_equations(equation: str) -> None:
    with pytest.raises(ArgumentError, match="cannot read the equation"):
        keras.layers.EinsumDense(equation, 4)


def test_refuses_bias_axes_that_outputs_lack(backend: Backend) -> None:
    with pytest.raises(ArgumentError, match="bias_axes 'x'"):
        keras.layers.EinsumDense("ab,bc->ac", 4, bias_axes="x").build((2, 3))


@pytest.mark.parametrize(
    ("output", "shape", "error", "match"),
    [
        ((6, 4), (2, 5, 3), ShapeError, "'b' is 6"),
        (4, (2, 5, 3), ArgumentError, "output_shape of 2 sizes"),
        ((None, 4), (2, 5), ShapeError, "3 axes"),
        ((None, 4), (2, 5, None), ShapeError, "size of 'c'"),
        ((None, None), (2, 5, 3), ShapeError, "size of 'd'"),
    ],
)
def test_refuses_shapes(
    output: Any, shape: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        keras.layers.EinsumDense("abc,cd->abd", output).build(shape)
