"""Layers that combine several tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import masking
from polykeras.backend import Backend
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError, ShapeError


def test_values_equal_those_of_numpy(backend: Backend) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(2, 3, 3)).astype("float32") for _ in range(2))
    layers = keras.layers
    for fn, expected in (
        (layers.add, a + b),
        (layers.subtract, a - b),
        (layers.multiply, a * b),
        (layers.average, (a + b) / 2),
        (layers.maximum, np.maximum(a, b)),
        (layers.minimum, np.minimum(a, b)),
        (layers.concatenate, np.concatenate([a, b], -1)),
        (lambda x: layers.concatenate(x, axis=1), np.concatenate([a, b], 1)),
        (lambda x: layers.dot(x, axes=(1, 2)), np.einsum("bki,bjk->bij", a, b)),
    ):
        assert_near(fn([a, b]), expected)


def test_cosines_are_one_for_equal_vectors(backend: Backend) -> None:
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    y = keras.layers.Dot(axes=1, normalize=True)([x, 3 * x])
    assert_near(y, np.ones((4, 1), "float32"))


def _masked(values: Any, mask: Any) -> Any:
    x = keras.ops.convert_to_tensor(np.array(values, "float32"))
    masking.set_mask(x, keras.ops.convert_to_tensor(np.array(mask)))
    return x


def _mask_of(x: Any) -> Any:
    mask = masking.get_mask(x)
    return None if mask is None else keras.ops.convert_to_numpy(mask).tolist()


def test_masks(backend: Backend) -> None:
    a = _masked(np.ones((1, 3, 2)), [[True, True, False]])
    b = _masked(np.ones((1, 3, 2)), [[True, False, False]])
    c = keras.ops.ones((1, 3, 2))
    layers = keras.layers
    assert _mask_of(layers.Add()([a, b])) == [[True, True, False]]
    assert _mask_of(layers.Add()([a, c])) is None
    assert _mask_of(layers.Concatenate()([b, b])) == [[True, False, False]]
    assert _mask_of(layers.Concatenate()([b, c])) == [[True, True, True]]
    assert _mask_of(layers.Concatenate(axis=1)([b, c])) == [
        [True, False, False, True, True, True]
    ]
    assert _mask_of(layers.Dot(axes=2)([a, b])) is None


@pytest.mark.parametrize("name", ["Add", "Concatenate"])
def test_refuses_one_tensor(backend: Backend, name: str) -> None:
    with pytest.raises(ArgumentError, match="list of tensors"):
        getattr(keras.layers, name)()(np.ones((2, 3), "float32"))


def test_refuses_shapes(backend: Backend) -> None:
    a, b = np.ones((2, 3), "float32"), np.ones((2, 4), "float32")
    with pytest.raises(ShapeError, match=r"\(2, 3\), \(2, 4\)"):
        keras.layers.Add()([a, b])
    with pytest.raises(ShapeError, match="along axis 1"):
        keras.layers.Concatenate(axis=1)([a, np.ones((3, 3), "float32")])
    with pytest.raises(ShapeError, match="equal sizes"):
        keras.layers.Dot(axes=1)([a, b])
    with pytest.raises(ArgumentError, match="two tensors"):
        keras.layers.Subtract()([a, a, a])
    with pytest.raises(ArgumentError, match="two tensors"):
        keras.layers.Dot(axes=1)([a])


@pytest.mark.parametrize("axes", [0, "1", (1, 2, 3), (1, 0)])
def test_refuses_axes(axes: object) -> None:
    with pytest.raises(ArgumentError, match="axes"):
        keras.layers.Dot(axes=axes)
