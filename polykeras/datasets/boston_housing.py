"""Boston housing: prices of homes in 506 districts in the 1970s."""

from __future__ import annotations

from typing import Final

import numpy as np

from polykeras.datasets._files import KERAS_FILES, RemoteFile, Splits, locate
from polykeras.datasets._tabular import check_test_split, load_samples, shuffle, split

__all__ = ["load_data"]

_FILE: Final = RemoteFile(
    "boston_housing.npz",
    f"{KERAS_FILES}boston_housing.npz",
    "sha256:f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
)


def load_data(
    path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Splits:
    """Load Boston housing: 13 features and the median price of 506 districts.

    One feature (column 11, "B") was built on the share of Black residents, and the
    study's other assumptions are disputed too: use the data to learn about regression,
    not about housing. `california_housing` has no such feature.

    Args:
        path: Name of the file in the data folders, or the path of a file.
        test_split: Share of the samples kept for testing, from 0 to below 1.
        seed: Seed of the permutation that comes before the split.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: features of shape ``(N, 13)`` and
        prices of shape ``(N,)`` in thousands of dollars, float64.

    Raises:
        ArgumentError: If `test_split` is out of range.
        DataError: If the file cannot be found, downloaded or read.

    Reference:
        Harrison, Rubinfeld (1978). Hedonic housing prices and the demand for clean
        air.
    """
    check_test_split(test_split)
    x, y = load_samples(locate(_FILE, path))
    return split(*shuffle(np.random.RandomState(seed), x, y), test_split)
