"""MNIST: 70,000 handwritten digits."""

from __future__ import annotations

from typing import Final

from polykeras.datasets._files import KERAS_FILES, RemoteFile, Splits, locate
from polykeras.datasets._image_npz import load_splits

__all__ = ["load_data"]

_FILE: Final = RemoteFile(
    "mnist.npz",
    f"{KERAS_FILES}mnist.npz",
    "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
)


def load_data(path: str = "mnist.npz") -> Splits:
    """Load MNIST: 60,000 training and 10,000 test images of the digits 0 to 9.

    Args:
        path: Name of the file in the data folders, or the path of a file.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images of shape ``(N, 28, 28)`` with
        values from 0 to 255, and labels of shape ``(N,)``, all uint8.

    Raises:
        DataError: If the file cannot be found, downloaded or read.

    Reference:
        LeCun, Bottou, Bengio, Haffner (1998). Gradient-based learning applied to
        document recognition. CC BY-SA 3.0.
    """
    return load_splits(locate(_FILE, path))
