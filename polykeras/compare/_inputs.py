"""Inputs and targets for a model that comes without data."""

from __future__ import annotations

from typing import Any

import numpy as np

from polykeras import dtypes, tree
from polykeras.errors import DataError, ShapeError
from polykeras.layers import Embedding

__all__ = ["drawn_inputs", "drawn_targets"]

_LENGTH = 8


def drawn_inputs(model: Any, batch: int, seed: int) -> Any:
    """Return a batch of inputs of the shapes that the model declares.

    Args:
        model: The model.
        batch: Number of samples.
        seed: Of the values: normal floats, whole numbers that embeddings can look up.

    Returns:
        An array, or a structure of arrays.

    Raises:
        ShapeError: If the model declares no inputs, or none with a known rank.
        DataError: If it reads text.
    """
    rng = np.random.default_rng(seed)
    declared = getattr(model, "input", None)
    if declared is None:
        raise ShapeError(
            f"The model {model.name!r} ({type(model).__name__}) does not say the shape "
            "of its input. Give it one with --data FILE.npz, which holds an array x "
            "(or x0, x1, ...) and, for gradients and training, y; in Python, pass x."
        )
    limit = min(
        (x.input_dim for x in model._flatten_layers() if isinstance(x, Embedding)),
        default=2,
    )

    def draw(spec: Any) -> Any:
        sizes = tuple(spec.shape)[1:]
        if any(n is None for n in sizes[1:]):
            raise ShapeError(
                f"The input {spec.name!r} of the model {model.name!r} has the shape "
                f"{tuple(spec.shape)}, of which more than the first two sizes are "
                "unknown. Give it with --data FILE.npz, which holds an array x; in "
                "Python, pass x."
            )
        first = tuple(spec.shape)[:1]
        known = tuple(_LENGTH if n is None else n for n in sizes)
        shape = (*((first[0] or batch,) if first else ()), *known)
        if spec.dtype == "string":
            raise DataError(
                f"The input {spec.name!r} of the model {model.name!r} is text. Compare "
                "the model behind the text layer, or pass x in Python."
            )
        if dtypes.is_float(spec.dtype) and limit == 2:
            return rng.normal(size=shape).astype(dtypes.as_numpy_dtype(spec.dtype))
        return rng.integers(0, limit, shape).astype(dtypes.as_numpy_dtype(spec.dtype))

    return tree.map_leaves(draw, declared)


def drawn_targets(model: Any, outputs: Any, seed: int) -> Any:
    """Return targets that the compiled losses can take.

    Args:
        model: The compiled model.
        outputs: Its outputs for the inputs, as arrays.
        seed: Of the values.

    Returns:
        One array an output, in the structure of the outputs.
    """
    rng = np.random.default_rng(seed + 1)
    said = model.loss
    flat = tree.flatten(said) if said is not None else [None]

    def draw(number: int, y: Any) -> Any:
        loss = flat[number] if number < len(flat) else flat[0]
        name = getattr(loss, "name", None) or getattr(loss, "__name__", loss)
        name = str(name).lower()
        classes = y.shape[-1] if y.ndim else 1
        if "sparse" in name:
            return rng.integers(0, classes, y.shape[:-1]).astype("int32")
        if "categorical" in name:
            return np.eye(classes, dtype="float32")[
                rng.integers(0, classes, y.shape[:-1])
            ]
        if "binary" in name or "focal" in name or "hinge" in name:
            return rng.integers(0, 2, y.shape).astype("float32")
        return rng.normal(size=y.shape).astype("float32")

    leaves, form = tree.flatten_leaves(outputs)
    return tree.unflatten_leaves(form, [draw(i, y) for i, y in enumerate(leaves)])
