"""Small real data sets for examples, with Keras' signatures.

A file is looked for in the folder that `POLYKERAS_DATA_DIR` names, then in the user's
cache; if it is in neither it is downloaded and checked against its digest. `digits`
needs no file: the package contains it.
"""

from __future__ import annotations

from polykeras.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    digits,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]
