"""Record what Keras computes for `cases.py`: ``python tests/peer/record.py``.

Run it with a Python that has Keras (KERAS_BACKEND=jax), and only for this. The answers
go into a file that the ordinary tests read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import cases
import keras


def rounded(x: Any) -> Any:
    """Return values as short lists, exact to float32."""
    array = np.asarray(x)
    if array.dtype.kind == "f":
        return [float(f"{v:.8g}") for v in array.astype("float64").ravel()]
    return array.ravel().tolist()


def answer(case: Any) -> dict[str, Any]:
    """Return shape, dtype and values of the outputs for a case."""
    cls, kwargs, _, call = case
    kwargs = dict(kwargs)
    if "layer" in kwargs:
        inner, arguments = kwargs["layer"]
        kwargs["layer"] = getattr(keras.layers, inner)(**arguments)
    layer = getattr(keras.layers, cls)(**kwargs)
    x = cases.inputs(case)
    layer(x, **call)
    shapes = [w.shape for w in layer.get_weights()]
    layer.set_weights([cases.arrays(s, 10 + i) for i, s in enumerate(shapes)])
    outputs = keras.tree.flatten(layer(x, **call))
    found = [keras.ops.convert_to_numpy(y) for y in outputs]
    return {
        "weights": [list(s) for s in shapes],
        "shapes": [list(y.shape) for y in found],
        "dtypes": [y.dtype.name for y in found],
        "values": [rounded(y) for y in found],
    }


if __name__ == "__main__":
    answers = {cases.name_of(case): answer(case) for case in cases.CASES}
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in answers.items()]
    path = Path(__file__).with_name("answers.json")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
