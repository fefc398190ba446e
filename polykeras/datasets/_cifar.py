"""The pickled batches in which CIFAR-10 and CIFAR-100 are published."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from polykeras.config import image_data_format
from polykeras.datasets._files import Arrays
from polykeras.datasets._safe_npz import unpickle
from polykeras.errors import DataError

__all__ = ["in_data_format", "read_batches"]

_SHAPE: Final = (3, 32, 32)
_MAX_MEMBER_BYTES: Final = 1 << 28


def read_batches(archive: Path, members: Sequence[str], label: str) -> Arrays:
    """Read batches straight out of the tar file; nothing is unpacked on disk.

    Args:
        archive: The publisher's tar.gz file.
        members: Names of the batches in it.
        label: Which labels, such as ``"fine_labels"``.

    Returns:
        Images of shape ``(N, 3, 32, 32)`` and labels of shape ``(N, 1)``, uint8.

    Raises:
        DataError: If the archive is damaged, or a batch holds anything but data.
    """
    images, labels = [], []
    try:
        with tarfile.open(archive) as tar:
            for member in members:
                info = tar.getmember(member)
                stream = tar.extractfile(info)
                if stream is None or info.size > _MAX_MEMBER_BYTES:
                    raise DataError(f"{member} in {archive} is no batch of images.")
                source = f"{archive} ({member})"
                batch = unpickle(stream.read(), source, encoding="bytes")
                x, y = _arrays(batch, label, source)
                images.append(x)
                labels.append(y)
    except (tarfile.TarError, KeyError, OSError, EOFError) as error:
        raise DataError(
            f"{archive} is not the complete archive: {error}. "
            "Delete it to download it again."
        ) from error
    return np.concatenate(images), np.concatenate(labels)


def _arrays(batch: object, label: str, source: str) -> Arrays:
    held = batch if isinstance(batch, dict) else {}
    data, classes = held.get(b"data"), held.get(label.encode())
    if not isinstance(data, np.ndarray) or not isinstance(classes, list):
        raise DataError(
            f"Expected an array 'data' and a list {label!r} in {source}, "
            f"got {sorted(map(repr, held))}."
        )
    x = data.reshape(-1, *_SHAPE)
    y = np.array(classes, dtype=np.uint8).reshape(-1, 1)
    if len(x) != len(y):
        raise DataError(f"{source} has {len(x)} images and {len(y)} labels.")
    return x, y


def in_data_format(parts: tuple[Arrays, Arrays]) -> tuple[Arrays, Arrays]:
    """Bring channels_first images into the process's image data format."""
    if image_data_format() == "channels_first":
        return parts
    (x_train, y_train), (x_test, y_test) = parts
    return (
        (x_train.transpose(0, 2, 3, 1), y_train),
        (x_test.transpose(0, 2, 3, 1), y_test),
    )
