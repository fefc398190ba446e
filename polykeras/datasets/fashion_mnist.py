"""Fashion-MNIST: 70,000 images of clothing in MNIST's format."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from polykeras.datasets._files import KERAS_FILES, RemoteFile, Splits, find, locate
from polykeras.datasets._image_npz import load_splits
from polykeras.errors import DataError

__all__ = ["get_label_names", "load_data"]

_FILES: Final = tuple(
    RemoteFile(f"fashion-mnist/{name}", f"{KERAS_FILES}{name}", f"md5:{md5}")
    for name, md5 in (
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    )
)
_LABELS: Final = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def load_data() -> Splits:
    """Load Fashion-MNIST: 60,000 training and 10,000 test images of ten classes.

    A local `fashion_mnist.npz` in the layout of `mnist.npz` is taken first, then the
    four gzip files of the publisher.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images of shape ``(N, 28, 28)`` with
        values from 0 to 255, and labels of shape ``(N,)``, all uint8.

    Raises:
        DataError: If a file cannot be found, downloaded or read.

    Reference:
        Xiao, Rasul, Vollgraf (2017). Fashion-MNIST: a novel image dataset for
        benchmarking machine learning algorithms. MIT licence, Zalando SE.
    """
    archive = find(["fashion_mnist.npz"])
    if archive is not None:
        return load_splits(archive)
    x_train, y_train, x_test, y_test = (
        _read_idx(locate(file, None, Path(file.name).name)) for file in _FILES
    )
    return (x_train, y_train), (x_test, y_test)


def get_label_names() -> tuple[str, ...]:
    """Return the names of the ten classes in the order of their labels.

    >>> get_label_names()[9]
    'Ankle boot'
    """
    return _LABELS


def _read_idx(path: Path) -> NDArray[Any]:
    """Read unsigned bytes in IDX format: 0 0 8 rank, the sizes, the values."""
    try:
        with gzip.open(path) as stream:
            data = stream.read()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is not a complete gzip file: {error}. "
            "Delete it to download it again."
        ) from error
    rank = data[3] if data[:3] == b"\x00\x00\x08" and len(data) > 3 else 0
    start = 4 + 4 * rank
    shape = [int.from_bytes(data[i : i + 4], "big") for i in range(4, start, 4)]
    if not rank or len(data) - start != math.prod(shape):
        raise DataError(
            f"Expected an IDX file of unsigned bytes, got {path} with {len(data)} "
            f"bytes and the sizes {shape}. Delete it to download it again."
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape).copy()
