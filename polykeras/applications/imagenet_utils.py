"""Images as the architectures want them, and classes by name."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import numpy as np

from polykeras import config, ops
from polykeras.backend import Array
from polykeras.errors import ArgumentError, DataError, ShapeError, nearest

__all__ = ["decode_predictions", "preprocess_input"]

_MODES: Final = ("caffe", "tf", "torch")
_NAMES: Final = "imagenet_class_index.json"


def preprocess_input(
    x: Any, data_format: str | None = None, mode: str = "caffe"
) -> Any:
    """Return images in the range that an architecture was trained with.

    Args:
        x: Images with values from 0 to 255 in RGB order, one or a batch.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        mode: ``"caffe"``: BGR order, the channels' means subtracted; ``"tf"``: from -1
            to 1; ``"torch"``: mean 0 and deviation 1 of the channels.

    Returns:
        An array for an array, and otherwise a tensor.

    Raises:
        ArgumentError: If the mode is unknown.

    >>> preprocess_input(np.array([[[0.0, 127.5, 255.0]]]), mode="tf").tolist()
    [[[-1.0, 0.0, 1.0]]]
    """
    if mode not in _MODES:
        raise ArgumentError(f"Unknown mode {mode!r}. {nearest(mode, _MODES)}")
    first = config.standardize_data_format(data_format) == "channels_first"
    array = isinstance(x, np.ndarray)
    if array and x.dtype.kind != "f":
        x = x.astype(config.floatx())
    if mode == "tf":
        return x / 127.5 - 1.0
    shape = (3, 1, 1) if first else (3,)
    axis = -3 if first else -1

    def constant(values: list[float]) -> Any:
        made = np.array(values, "float32").reshape(shape)
        return made.astype(x.dtype) if array else ops.cast(made, ops.dtype(x))

    if mode == "torch":
        mean, std = constant([0.485, 0.456, 0.406]), constant([0.229, 0.224, 0.225])
        return (x / 255.0 - mean) / std
    swapped = np.flip(x, axis) if array else ops.flip(x, axis)
    return swapped - constant([103.939, 116.779, 123.68])


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """Return the most likely classes of ImageNet by name.

    The names come from the file ``imagenet_class_index.json`` in the folder
    `POLYKERAS_DATA_DIR`.

    Args:
        preds: Outputs of a classifier ``(B, 1000)``.
        top: How many classes to return for each image.

    Returns:
        For each image, triples of the synset, the name and the score.

    Raises:
        ShapeError: If the outputs have another shape.
        DataError: If there is no such file.
    """
    scores: Array = np.asarray(ops.convert_to_numpy(preds))
    if scores.ndim != 2 or scores.shape[1] != 1000:
        raise ShapeError(
            f"decode_predictions takes outputs of shape (B, 1000), got {scores.shape}."
        )
    folder = os.environ.get("POLYKERAS_DATA_DIR")
    path = Path(folder or ".") / _NAMES
    if not folder or not path.is_file():
        raise DataError(
            f"The names of the classes are not here: put {_NAMES} into the folder that "
            f"POLYKERAS_DATA_DIR names ({folder or 'not set'})."
        )
    names = json.loads(path.read_text(encoding="utf-8"))
    return [
        [(*names[str(i)], float(row[i])) for i in np.argsort(row)[: -top - 1 : -1]]
        for row in scores
    ]
