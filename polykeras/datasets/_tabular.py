"""Samples kept as one npz file with `x` and `y`, shuffled and split by a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polykeras.datasets._files import Arrays, Splits
from polykeras.datasets._safe_npz import load_npz
from polykeras.errors import ArgumentError, DataError

__all__ = ["check_test_split", "load_samples", "shuffle", "split"]


def check_test_split(test_split: float) -> None:
    """Raise ArgumentError unless `test_split` is in [0, 1)."""
    if not 0 <= test_split < 1:
        raise ArgumentError(
            f"Expected `test_split` from 0 to below 1, got {test_split!r}."
        )


def load_samples(path: Path) -> Arrays:
    """Return `x` and `y` of an npz file.

    Raises:
        DataError: If the file is damaged or the two differ in length.
    """
    arrays = load_npz(path, ("x", "y"))
    x, y = arrays["x"], arrays["y"]
    if len(x) != len(y):
        raise DataError(
            f"Expected as many rows as targets in {path}, got the shapes {x.shape} "
            f"and {y.shape}. Get the file again."
        )
    return x, y


def shuffle(rng: np.random.RandomState, x: NDArray[Any], y: NDArray[Any]) -> Arrays:
    """Permute samples as Keras does; NumPy keeps this generator's stream for ever."""
    order = np.arange(len(x))
    rng.shuffle(order)
    return x[order], y[order]


def split(x: NDArray[Any], y: NDArray[Any], test_split: float) -> Splits:
    """Cut off the last part of the samples for testing."""
    end = int(len(x) * (1 - test_split))
    return (x[:end], y[:end]), (x[end:], y[end:])
