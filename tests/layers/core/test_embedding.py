"""`Embedding`."""

from __future__ import annotations

import numpy as np
import pytest

import polykeras as keras
from polykeras import masking
from polykeras.backend import Backend
from polykeras.errors import ArgumentError


def test_zero_is_masked(backend: Backend) -> None:
    layer = keras.layers.Embedding(5, 2, mask_zero=True)
    y = layer(np.array([[1, 0], [0, 4]]))
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(masking.get_mask(y)), [[True, False], [False, True]]
    )


def test_no_mask_unless_asked(backend: Backend) -> None:
    assert masking.get_mask(keras.layers.Embedding(5, 2)(np.array([[1, 0]]))) is None


def test_first_weights_can_be_given(backend: Backend) -> None:
    table = np.arange(6, dtype="float32").reshape(3, 2)
    for weights in (table, [table]):
        layer = keras.layers.Embedding(3, 2, weights=weights)
        y = keras.ops.convert_to_numpy(layer(np.array([2, 0])))
        np.testing.assert_array_equal(y, table[[2, 0]])


def test_float_indices_keep_their_value_in_half_precision(backend: Backend) -> None:
    layer = keras.layers.Embedding(4096, 1, dtype="mixed_float16")
    layer.build()
    layer.set_weights([np.arange(4096, dtype="float32")[:, None] % 17])
    y = keras.ops.convert_to_numpy(layer(np.array([4095.0, 2049.0], "float32")))
    np.testing.assert_array_equal(y[:, 0], [4095 % 17, 2049 % 17])


@pytest.mark.parametrize("arguments", [(0, 2), (3, -1)], ids=repr)
def test_refuses_sizes(arguments: tuple[int, int]) -> None:
    with pytest.raises(ArgumentError, match="positive int"):
        keras.layers.Embedding(*arguments)
