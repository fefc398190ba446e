"""Layers give what Keras 3.15 gives, from the same weights and inputs.

The answers were recorded by `record.py` with Keras on JAX.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import polykeras as keras
from tests.peer import cases

ANSWERS = json.loads(Path(__file__).with_name("answers.json").read_text())
# Each output is a sum of at most so many products.
TERMS = 64


def test_answers_are_those_of_the_cases():
    assert set(ANSWERS) == {cases.name_of(case) for case in cases.CASES}


@pytest.mark.parametrize("case", cases.CASES, ids=cases.name_of)
def test_outputs_equal_those_of_keras(backend, case):
    cls, kwargs, _, call = case
    kwargs = dict(kwargs)
    if "layer" in kwargs:
        inner, arguments = kwargs["layer"]
        kwargs["layer"] = getattr(keras.layers, inner)(**arguments)
    layer = getattr(keras.layers, cls)(**kwargs)
    x = cases.inputs(case)
    layer(x, **call)
    wanted = ANSWERS[cases.name_of(case)]
    shapes = [list(w.shape) for w in layer.get_weights()]
    assert shapes == wanted["weights"]
    layer.set_weights([cases.arrays(tuple(s), 10 + i) for i, s in enumerate(shapes)])
    outputs = keras.tree.flatten(layer(x, **call))
    for i, y in enumerate(outputs):
        found = keras.ops.convert_to_numpy(y)
        assert list(found.shape) == wanted["shapes"][i]
        assert found.dtype.name == wanted["dtypes"][i]
        expected = np.array(wanted["values"][i]).reshape(found.shape)
        if found.dtype.kind != "f":
            # Rounding to an integer may fall to either side of a half.
            assert np.abs(found.astype(int) - expected).max() <= 1
            continue
        scale = max(1.0, np.abs(expected).max())
        bound = 2 * np.finfo("float32").eps * TERMS * scale
        np.testing.assert_allclose(found, expected, rtol=0, atol=bound)
