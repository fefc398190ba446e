"""CIFAR-10: 60,000 small colour images of ten classes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

from polykeras.datasets._cifar import in_data_format, read_batches
from polykeras.datasets._files import RemoteFile, Splits, locate
from polykeras.datasets._image_npz import load_splits

__all__ = ["get_label_names", "load_data"]

_FILE: Final = RemoteFile(
    "cifar-10-python.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)
_FOLDER: Final = "cifar-10-batches-py"
_TRAIN: Final = tuple(f"{_FOLDER}/data_batch_{i}" for i in range(1, 6))
_TEST: Final = (f"{_FOLDER}/test_batch",)
_TRAIN_SAMPLES: Final = 50_000
_LABELS: Final = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


def load_data() -> Splits:
    """Load CIFAR-10: 50,000 training and 10,000 test images of ten classes.

    In each folder the publisher's archive is taken first, then a local `cifar10.npz`
    or `cifar10_subset.npz` with channels_last arrays `x_train`, `y_train`, `x_test`
    and `y_test`. A file with fewer images is announced by a warning.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images of shape ``(N, 32, 32, 3)``,
        or ``(N, 3, 32, 32)`` if the process's image data format is channels_first,
        with values from 0 to 255, and labels of shape ``(N, 1)``, all uint8.

    Raises:
        DataError: If the file cannot be found, downloaded or read.

    Reference:
        Krizhevsky (2009). Learning multiple layers of features from tiny images.
    """
    path = locate(_FILE, None, "cifar10.npz", "cifar10_subset.npz")
    if path.suffix == ".npz":
        return in_data_format(_load_npz(path))
    train = read_batches(path, _TRAIN, "labels")
    return in_data_format((train, read_batches(path, _TEST, "labels")))


def get_label_names() -> tuple[str, ...]:
    """Return the names of the ten classes in the order of their labels.

    >>> get_label_names()[3]
    'cat'
    """
    return _LABELS


def _load_npz(path: Path) -> Splits:
    (x_train, y_train), (x_test, y_test) = load_splits(path)
    if len(x_train) < _TRAIN_SAMPLES:
        warnings.warn(
            f"{path} is a part of CIFAR-10: {len(x_train)} of {_TRAIN_SAMPLES} "
            "training images.",
            stacklevel=3,
        )
    return (
        (x_train.transpose(0, 3, 1, 2), y_train.reshape(-1, 1)),
        (x_test.transpose(0, 3, 1, 2), y_test.reshape(-1, 1)),
    )
