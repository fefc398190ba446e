"""`Attention` and `AdditiveAttention`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import masking, ops
from polykeras.backend import Backend
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers import AdditiveAttention, Attention


def test_masks_follow_and_hide(backend: Backend) -> None:
    query, value = ops.ones((1, 3, 2)), ops.reshape(ops.arange(8.0), (1, 4, 2))
    seen = ops.array([[True, False, True]])
    masking.set_mask(query, seen)
    masking.set_mask(value, ops.array([[False, True, False, False]]))
    y, weights = Attention()([query, value], return_attention_scores=True)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(y), [[[2.0, 3.0], [0.0, 0.0], [2.0, 3.0]]]
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(weights)[0, 0], [0, 1, 0, 0])
    assert masking.get_mask(y) is seen
    assert masking.get_mask(weights) is None


def test_configs_hold_what_constructors_take() -> None:
    assert "score_mode" in Attention().get_config()
    assert "score_mode" not in AdditiveAttention().get_config()
    assert AdditiveAttention(seed=3).get_config()["seed"] == 3


BAD: list[tuple[Any, Any, str]] = [
    (lambda: Attention(score_mode="dots"), ArgumentError, "Did you mean 'dot'"),
    (lambda: AdditiveAttention(dropout=-0.5), ArgumentError, "0 <= dropout"),
    (lambda: Attention()(keras.ops.ones((2, 3, 4))), ShapeError, "a list"),
    (lambda: Attention()([keras.ops.ones((2, 3, 4))]), ShapeError, "list of 1"),
]


@pytest.mark.parametrize(("make", "kind", "said"), BAD)
def test_bad_use(make: Any, kind: Any, said: str) -> None:
    with pytest.raises(kind, match=said):
        make()
