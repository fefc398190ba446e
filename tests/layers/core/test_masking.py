"""`Masking` and `Identity`."""

from __future__ import annotations

import numpy as np

import polykeras as keras
from polykeras import masking
from polykeras.backend import Backend


def test_marks_steps_of_one_value(backend: Backend) -> None:
    x = np.array([[[1.0, 0.0], [5.0, 5.0], [5.0, 1.0]]], "float32")
    y = keras.layers.Masking(mask_value=5.0)(x)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(y), [[[1.0, 0.0], [0.0, 0.0], [5.0, 1.0]]]
    )
    mask = keras.ops.convert_to_numpy(masking.get_mask(y))
    np.testing.assert_array_equal(mask, [[True, False, True]])


def test_identity_passes_structures(backend: Backend) -> None:
    x = keras.ops.ones((2,))
    assert keras.layers.Identity()({"a": x, "b": [x]})["b"][0].shape == (2,)
