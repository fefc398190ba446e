"""One-hot encoding and normalisation of arrays and tensors."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.backend import current_backend
from polykeras.errors import DataError

__all__ = ["normalize", "to_categorical"]


_PLAIN: Final = (np.ndarray, np.generic, list, tuple, int, float)


def _is_tensor(x: Any) -> bool:
    """Tell a tensor from what NumPy holds; the NumPy backend's tensors are both."""
    return not isinstance(x, _PLAIN) and current_backend().is_tensor(x)


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Turn class numbers into one-hot rows.

    Args:
        x: Integers of any shape ``(...)`` or ``(..., 1)``: an array, a list, or a
            tensor of the active backend.
        num_classes: Number of classes C; None is the largest number plus one.

    Returns:
        For a tensor, a float tensor of shape ``(..., C)``; for anything else a NumPy
        array of that shape, float64 as in Keras.

    Raises:
        DataError: If a class number of an array is not an integer from 0 to C - 1.

    >>> to_categorical([0, 2, 1])
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]])
    """
    if _is_tensor(x):
        return _to_categorical_tensor(x, num_classes)
    labels = np.asarray(x)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    with np.errstate(invalid="ignore"):  # NaN is refused below, with a reason
        integers = labels.astype("int64")
    if not np.array_equal(integers, labels):
        raise DataError(
            f"Expected class numbers, got values of dtype {labels.dtype} that are not "
            "integers. Round them or use them as regression targets."
        )
    if not num_classes:
        num_classes = int(integers.max()) + 1 if integers.size else 0
    bad = integers[(integers < 0) | (integers >= num_classes)]
    if bad.size:
        raise DataError(
            f"Expected class numbers from 0 to {num_classes - 1} "
            f"(num_classes={num_classes}), got {bad.flat[0]}. "
            "Raise `num_classes` or renumber the classes."
        )
    flat = integers.reshape(-1)
    rows = np.zeros((flat.size, num_classes))
    rows[np.arange(flat.size), flat] = 1
    return rows.reshape((*integers.shape, num_classes))


def _to_categorical_tensor(x: Any, num_classes: int | None) -> Any:
    from polykeras import ops

    shape = tuple(x.shape)
    if len(shape) > 1 and shape[-1] == 1:
        x = ops.reshape(x, shape[:-1])
    if not num_classes:
        num_classes = int(current_backend().to_numpy(x).max()) + 1
    return ops.one_hot(x, num_classes)


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Divide an array by its norm along an axis.

    Args:
        x: Array or tensor of any shape.
        axis: Axis along which the norm is taken.
        order: Order of the norm: 1, 2, ...

    Returns:
        An array (for a tensor: a tensor) of the shape of `x` whose vectors along
        `axis` have norm 1; vectors of zeros stay zeros.

    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    if _is_tensor(x):
        from polykeras import ops

        return ops.normalize(x, axis=axis, order=order)
    x = np.asarray(x)
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.where(norm == 0, np.ones_like(norm), norm)
