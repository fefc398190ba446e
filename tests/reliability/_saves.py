"""Every way in which a model is saved, with weights that tell which save they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polykeras as keras

__all__ = ["KINDS", "fill", "make", "value_of"]


def make() -> Any:
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(200), keras.layers.Dense(2)]
    )
    model.compile("adam", "mse")
    return model


def fill(model: Any, value: float) -> None:
    """Give all weights one value."""
    for v in model.weights:
        v.assign(keras.ops.full(v.shape, value))


def value_of(model: Any) -> float:
    """Return the value that all weights have."""
    found = {float(x) for w in model.get_weights() for x in w.ravel()}
    assert len(found) == 1, found
    return found.pop()


def _weights_file(name: str, **arguments: Any) -> Any:
    def save(model: Any, folder: Path) -> None:
        model.save_weights(folder / name, **arguments)

    def load(model: Any, folder: Path) -> Any:
        model.load_weights(folder / name)
        return model

    return save, load


# How each kind of file is written to a folder, and loaded from there into a model.
KINDS: dict[str, Any] = {
    "archive": (
        lambda model, folder: model.save(folder / "m.keras"),
        lambda model, folder: keras.models.load_model(folder / "m.keras"),
    ),
    "hdf5": _weights_file("m.weights.h5"),
    "safetensors": _weights_file("m.safetensors"),
    "shards": _weights_file("m.weights.json", max_shard_size=4e-6),
    "checkpoint": (
        lambda model, folder: keras.training.Checkpoint(folder / "c").save(model),
        lambda model, folder: (
            keras.training.Checkpoint(folder / "c").restore(model) and model
        ),
    ),
}
