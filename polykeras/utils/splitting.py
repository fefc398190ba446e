"""Two parts of a data set."""

from __future__ import annotations

from typing import Any

import numpy as np

from polykeras import tree
from polykeras.errors import ArgumentError, DataError

__all__ = ["split_dataset"]


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """Split arrays into a left and a right part.

    Args:
        dataset: An array or tensor of shape ``(N, ...)``, or a tuple, list or dict
            of them with N in common.
        left_size: Samples in the left part: a count, or a fraction below 1. None is
            what `right_size` leaves.
        right_size: The same for the right part, which is taken from the end.
        shuffle: Whether the samples are permuted first.
        seed: Seed of the permutation.
        preferred_backend: Accepted so that scripts for Keras run. The parts are of
            the same type as `dataset` whatever it is.

    Returns:
        ``(left, right)``, each with the structure and array types of `dataset`.

    Raises:
        ArgumentError: If a size is missing, of a wrong type or range, or the sizes
            leave a part empty or need more than N samples.
        DataError: If the arrays differ in length.

    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> left, right
    (array([0, 1, 2, 3, 4, 5, 6, 7]), array([8, 9]))
    """
    del preferred_backend
    total = _length(dataset)
    left, right = _sizes(left_size, right_size, total)
    if not shuffle:
        return (
            tree.map_structure(lambda leaf: leaf[:left], dataset),
            tree.map_structure(lambda leaf: leaf[total - right :], dataset),
        )
    order = np.random.default_rng(seed).permutation(total)
    return (
        tree.map_structure(lambda leaf: leaf[order[:left]], dataset),
        tree.map_structure(lambda leaf: leaf[order[total - right :]], dataset),
    )


def _length(dataset: Any) -> int:
    leaves = tree.flatten(dataset)
    shapes = [tuple(getattr(leaf, "shape", ())) for leaf in leaves]
    if not shapes or () in shapes:
        raise DataError(
            "Expected an array, or a tuple, list or dict of arrays, got "
            f"{[type(leaf).__name__ for leaf in leaves]}. Make arrays of the data."
        )
    if len({shape[0] for shape in shapes}) > 1:
        raise DataError(
            "Expected arrays with the same number of samples, got the shapes "
            f"{shapes}. Check the first axis of each."
        )
    return int(shapes[0][0])


def _sizes(left: float | None, right: float | None, total: int) -> tuple[int, int]:
    if left is None and right is None:
        raise ArgumentError("Expected `left_size` or `right_size`, got neither.")
    first = None if left is None else _count("left_size", left, total)
    second = None if right is None else _count("right_size", right, total)
    if first is None:
        first = total - (second or 0)
    if second is None:
        second = total - first
    if first < 1 or second < 1 or first + second > total:
        raise ArgumentError(
            f"Expected two parts of {total} samples that are not empty, got "
            f"left_size={left} and right_size={right}, that is {first} and {second} "
            "samples. Change one of them."
        )
    return first, second


def _count(name: str, size: Any, total: int) -> int:
    if isinstance(size, float) and 0 < size < 1:
        return round(size * total)
    if isinstance(size, (int, np.integer)) and not isinstance(size, bool):
        return int(size)
    raise ArgumentError(
        f"Expected `{name}` to be a number of samples or a fraction between 0 and 1, "
        f"got {size!r}."
    )
