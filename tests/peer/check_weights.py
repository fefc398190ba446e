"""Write files of weights with one package, and read them with the other.

    python tests/peer/check_weights.py polykeras write FOLDER
    KERAS_BACKEND=torch PEER/bin/python tests/peer/check_weights.py keras read FOLDER

PEER is an environment with Keras 3.15.1. Works in both directions, and over files that
the other package wrote before.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

# Small, so that one part goes on in the next file.
KINDS = {"m.weights.h5": {}, "m.weights.json": {"max_shard_size": 4e-6}}
X = np.linspace(0.1, 1.0, 32, dtype="float32").reshape(8, 4)
Y = np.ones((8, 2), "float32")


def make(keras: Any) -> Any:
    layers = keras.layers
    sizes = (30, 30, 2)
    model = keras.Sequential([keras.Input((4,)), *(layers.Dense(n) for n in sizes)])
    model.compile("adam", "mse")
    return model


def write(keras: Any, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    model = make(keras)
    model.fit(X, Y, verbose=0)
    for name, arguments in KINDS.items():
        model.save_weights(folder / name, **arguments)
    arrays = [
        *model.get_weights(),
        *(keras.ops.convert_to_numpy(v) for v in model.optimizer.variables),
    ]
    np.savez(folder / "arrays.npz", *arrays)


def read(keras: Any, folder: Path) -> None:
    with np.load(folder / "arrays.npz") as archive:
        expected = [archive[f"arr_{i}"] for i in range(len(archive.files))]
    for name in KINDS:
        model = make(keras)
        # Keras loads no slots into an optimizer that has none yet.
        model.fit(X, Y, verbose=0)
        model.load_weights(folder / name)
        found = [
            *model.get_weights(),
            *(keras.ops.convert_to_numpy(v) for v in model.optimizer.variables),
        ]
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)
        print(f"{name}: {len(found)} arrays are equal")


if __name__ == "__main__":
    package, what, folder = sys.argv[1:]
    {"write": write, "read": read}[what](importlib.import_module(package), Path(folder))
