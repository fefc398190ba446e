"""California housing: median prices of homes in the census of 1990."""

from __future__ import annotations

from typing import Final

import numpy as np

from polykeras.datasets._files import KERAS_FILES, RemoteFile, Splits, locate
from polykeras.datasets._tabular import check_test_split, load_samples, shuffle, split
from polykeras.errors import ArgumentError, nearest

__all__ = ["load_data"]

_FILE: Final = RemoteFile(
    "california_housing.npz",
    f"{KERAS_FILES}california_housing.npz",
    "sha256:1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
)
_VERSIONS: Final = ("large", "small")
_SMALL: Final = 600


def load_data(
    version: str = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> Splits:
    """Load California housing: 8 features and the median price of block groups.

    The features are longitude, latitude, median age of the houses, total rooms, total
    bedrooms, population, households, and median income (in 10,000 dollars).

    Args:
        version: ``"large"`` for all 20,640 samples, ``"small"`` for the first 600.
        path: Name of the file in the data folders, or the path of a file.
        test_split: Share of the samples kept for testing, from 0 to below 1.
        seed: Seed of the permutation that comes before the split.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: features of shape ``(N, 8)`` and
        prices of shape ``(N,)`` in dollars, float32.

    Raises:
        ArgumentError: If `version` is unknown or `test_split` out of range.
        DataError: If the file cannot be found, downloaded or read.

    Reference:
        Pace, Barry (1997). Sparse spatial autoregressions.
    """
    check_test_split(test_split)
    if version not in _VERSIONS:
        raise ArgumentError(
            f"Unknown version {version!r}. {nearest(version, _VERSIONS)}"
        )
    x, y = load_samples(locate(_FILE, path))
    if version == "small":
        x, y = x[:_SMALL], y[:_SMALL]
    return split(*shuffle(np.random.RandomState(seed), x, y), test_split)
