"""Digits: 1797 handwritten digits of 8x8 pixels that come with the package."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import numpy as np

from polykeras.datasets._files import Splits
from polykeras.datasets._tabular import shuffle, split

__all__ = ["load_data"]

_SEED: Final = 113
_TEST_SPLIT: Final = 0.2


def load_data() -> Splits:
    """Load 1437 training and 360 test images of the digits 0 to 9. Needs no download.

    The images are permuted by ``numpy.random.RandomState(113)``, the seed of the other
    data sets, and the last fifth is for testing. So the split is always the same, and
    the same people wrote images of both parts.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images of shape ``(N, 8, 8)`` with
        values from 0 to 16, and labels of shape ``(N,)``, all uint8.

    Reference:
        Alpaydin, Kaynak (1998). Optical Recognition of Handwritten Digits. UCI Machine
        Learning Repository, doi:10.24432/C50P49. CC BY 4.0.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape
    ((1437, 8, 8), (360, 8, 8))
    """
    source = files("polykeras.datasets") / "_data" / "digits.npz"
    with source.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        x, y = arrays["x"], arrays["y"]
    return split(*shuffle(np.random.RandomState(_SEED), x, y), _TEST_SPLIT)
