"""Image data sets kept as one npz file with four arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from polykeras.datasets._files import Splits
from polykeras.datasets._safe_npz import load_npz
from polykeras.errors import DataError

__all__ = ["load_splits"]

_NAMES: Final = ("x_train", "y_train", "x_test", "y_test")


def load_splits(path: Path) -> Splits:
    """Return the training and the test part that an npz file holds.

    Raises:
        DataError: If the file is damaged, or images and labels differ in number.
    """
    arrays = load_npz(path, _NAMES)
    x_train, y_train, x_test, y_test = (arrays[name] for name in _NAMES)
    for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        if len(x) != len(y):
            raise DataError(
                f"Expected as many labels as images in {path}, got x_{part} of shape "
                f"{x.shape} and y_{part} of shape {y.shape}. Get the file again."
            )
    return (x_train, y_train), (x_test, y_test)
