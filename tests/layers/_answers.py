"""Answers that another implementation gave, and how to ask ours the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import polykeras as keras
from polykeras import ops, tree
from polykeras.backend import Array
from polykeras.conformance import assert_near

__all__ = ["Answer", "read_answers"]


def wave(shape: list[int], phase: float, step: float) -> Array:
    """Return values in [-1, 1] that need no file."""
    places = np.arange(int(np.prod(shape)))
    return np.cos(places * step + phase).reshape(shape)


def pattern(shape: list[int]) -> Array:
    """Return a mask that hides every third place, the second first."""
    return np.arange(int(np.prod(shape))).reshape(shape) % 3 != 1


class Answer:
    """A layer, what it is called with, and what comes out.

    Args:
        data: `cls`, `args` of the constructor (nested layers as ``[class, args]``),
            `shapes` of the inputs, `weights` and `outputs`; further keys say which
            masks and states the call gets.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def __str__(self) -> str:
        keys = ("cls", "args", "call", "mask", "states", "masks", "value_mask")
        said = [str(self.data[k]) for k in keys if self.data.get(k)]
        return "-".join(said).replace(" ", "").replace("'", "")

    def check(self) -> None:
        """Assert that our layer has these weights and gives these outputs."""
        data = self.data
        layer = _made([data["cls"], data["args"]])
        inputs = [
            ops.convert_to_tensor(wave(shape, i, 0.7).astype("float32"))
            for i, shape in enumerate(data["shapes"])
        ]
        listed = data["cls"] in ("Attention", "AdditiveAttention")
        args: list[Any] = [inputs] if listed else inputs
        call = self._call()
        layer(*args, **call)
        shapes = [list(w.shape) for w in layer.get_weights()]
        assert shapes == data["weights"]
        layer.set_weights(
            [0.6 * wave(shape, i + 0.5, 1.3) for i, shape in enumerate(shapes)]
        )
        outputs = tree.flatten(layer(*args, **call))
        assert len(outputs) == len(data["outputs"])
        for found, wanted in zip(outputs, data["outputs"], strict=True):
            expected = np.array(wanted["values"]).reshape(wanted["shape"])
            assert_near(found, expected, 64, str(self))

    def _call(self) -> dict[str, Any]:
        data = self.data
        call = dict(data.get("call", {}))
        if data.get("mask"):
            call["mask"] = pattern(data["shapes"][0][:2])
        if data.get("states"):
            call["initial_state"] = [
                ops.convert_to_tensor(0.3 * wave([2, 2], i, 1.1), "float32")
                for i in range(data["states"])
            ]
        if data.get("attention_mask"):
            call["attention_mask"] = pattern(data["attention_mask"])
        if data.get("value_mask"):
            call["value_mask"] = pattern(data["shapes"][1][:2])
        if data.get("masks"):
            call["mask"] = [pattern(shape[:2]) for shape in data["shapes"]]
        return tree.map_leaves(
            lambda x: ops.convert_to_tensor(x) if isinstance(x, np.ndarray) else x, call
        )


def _made(value: Any) -> Any:
    """Make layers of ``[class, args]``, also inside lists and arguments."""
    if not isinstance(value, list):
        return value
    if value and isinstance(value[0], str):
        cls = getattr(keras.layers, value[0])
        return cls(**{k: _made(v) for k, v in value[1].items()})
    return [_made(v) for v in value]


def read_answers(path: Path) -> list[Answer]:
    """Return the answers in a JSON file."""
    return [Answer(data) for data in json.loads(path.read_text("utf-8"))]
