"""Optimizer steps as compositions, which backends without a fused kernel run."""

from __future__ import annotations

import numpy as np
import pytest

from polykeras import ops
from polykeras.ops._registry import REGISTRY


@pytest.mark.parametrize("name", ["adam_update", "rmsprop_update"])
def test_small_gradients_move_weights_in_16_bits(name, backend):
    # The rate times such a gradient would round to 0.
    zeros = [ops.zeros((3,), "float16")]
    grads = [ops.full((3,), 1e-5, "float16")]
    if name == "adam_update":
        rest = (zeros, zeros, [], 1e-3, 1, 0.9, 0.999, 1e-7, False)
    else:
        rest = (zeros, [], [], 1e-3, 0.9, 0.0, 1e-7, False)
    moved = REGISTRY[name].op.fn(zeros, grads, *rest)[0][0]
    assert np.all(ops.convert_to_numpy(moved) < 0)
