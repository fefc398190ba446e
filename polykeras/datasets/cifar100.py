"""CIFAR-100: 60,000 small colour images of 100 classes in 20 groups."""

from __future__ import annotations

from typing import Final

from polykeras.datasets._cifar import in_data_format, read_batches
from polykeras.datasets._files import RemoteFile, Splits, locate
from polykeras.errors import ArgumentError, nearest

__all__ = ["load_data"]

_FILE: Final = RemoteFile(
    "cifar-100-python.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    "sha256:85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
)
_MODES: Final = ("fine", "coarse")


def load_data(label_mode: str = "fine") -> Splits:
    """Load CIFAR-100: 50,000 training and 10,000 test images.

    Args:
        label_mode: ``"fine"`` for the 100 classes, ``"coarse"`` for the 20 groups.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images of shape ``(N, 32, 32, 3)``,
        or ``(N, 3, 32, 32)`` if the process's image data format is channels_first,
        with values from 0 to 255, and labels of shape ``(N, 1)``, all uint8.

    Raises:
        ArgumentError: If `label_mode` is unknown.
        DataError: If the file cannot be found, downloaded or read.

    Reference:
        Krizhevsky (2009). Learning multiple layers of features from tiny images.
    """
    if label_mode not in _MODES:
        raise ArgumentError(
            f"Unknown label_mode {label_mode!r}. {nearest(label_mode, _MODES)}"
        )
    path, label = locate(_FILE), f"{label_mode}_labels"
    train = read_batches(path, ["cifar-100-python/train"], label)
    return in_data_format((train, read_batches(path, ["cifar-100-python/test"], label)))
