"""Shares of right predictions: functions and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polykeras import ops
from polykeras.errors import ArgumentError
from polykeras.losses.alignment import as_floats, pair, same_rank
from polykeras.metrics.reduction import MeanMetricWrapper
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """Return 1 where a prediction equals the label, and 0 elsewhere.

    Args:
        y_true: Labels, any shape.
        y_pred: Predicted labels of the same shape.

    Returns:
        float32 values of that shape.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), ops.dtype(y_pred))
    y_true, y_pred = same_rank(y_true, y_pred)
    return ops.cast(ops.equal(y_true, y_pred), "float32")


@public
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """Return 1 where a probability is on its label's side of a threshold, else 0.

    Args:
        y_true: Labels 0 or 1, any shape.
        y_pred: Probabilities of the same shape.
        threshold: Above it, a prediction is 1.

    Returns:
        Values of that shape.

    >>> binary_accuracy([[1.0], [0.0]], [[0.9], [0.6]]).tolist()
    [[1.0], [0.0]]
    """
    y_true, y_pred = pair(y_true, y_pred, "binary_accuracy")
    decided = ops.cast(ops.greater(y_pred, threshold), ops.dtype(y_true))
    return ops.cast(ops.equal(y_true, decided), ops.dtype(y_pred))


@public
def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """Return 1 where the likeliest class is the label, else 0.

    Args:
        y_true: One-hot labels, (B, ..., C).
        y_pred: Scores of the same shape.

    Returns:
        Values of shape (B, ...).

    >>> categorical_accuracy([[0.0, 1.0]], [[0.1, 0.9]]).tolist()
    [1.0]
    """
    y_true, y_pred = pair(y_true, y_pred, "categorical_accuracy")
    same = ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1))
    return ops.cast(same, ops.dtype(y_pred))


def _class_numbers(y_true: Any, y_pred: Tensor) -> Tensor:
    labels = ops.convert_to_tensor(y_true)
    if len(labels.shape) == len(y_pred.shape) and labels.shape[-1] == 1:
        labels = ops.squeeze(labels, -1)
    return ops.cast(labels, "int32")


@public
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """Return 1 where the likeliest class has the label's number, else 0.

    Args:
        y_true: Class numbers, (B, ...) or (B, ..., 1).
        y_pred: Scores, (B, ..., C).

    Returns:
        Values of shape (B, ...).

    >>> sparse_categorical_accuracy([1, 1], [[0.1, 0.9], [0.8, 0.2]]).tolist()
    [1.0, 0.0]
    """
    y_pred = as_floats(y_pred)
    labels = _class_numbers(y_true, y_pred)
    chosen = ops.argmax(y_pred, axis=-1)
    return ops.cast(ops.equal(labels, chosen), ops.dtype(y_pred))


@public
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """Return 1 where the label is among the `k` likeliest classes, else 0.

    Args:
        y_true: One-hot labels, (B, C).
        y_pred: Scores, (B, C).
        k: How many classes may be tried.

    Returns:
        Values of shape (B,).
    """
    y_true, y_pred = pair(y_true, y_pred, "top_k_categorical_accuracy")
    return sparse_top_k_categorical_accuracy(ops.argmax(y_true, axis=-1), y_pred, k)


@public
def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Tensor:
    """Return 1 where the label's number is among the `k` likeliest classes, else 0.

    Args:
        y_true: Class numbers, (B, ...).
        y_pred: Scores, (B, ..., C), or with `from_sorted_ids` class numbers, the
            likeliest first.
        k: How many classes may be tried.
        from_sorted_ids: Whether `y_pred` holds class numbers.

    Returns:
        Values of shape (B, ...).
    """
    if from_sorted_ids:
        numbers = ops.convert_to_tensor(y_pred)
        labels = ops.cast(_class_numbers(y_true, numbers), ops.dtype(numbers))
        found = ops.equal(numbers[..., :k], ops.expand_dims(labels, -1))
        return ops.cast(ops.any(found, axis=-1), "float32")
    y_pred = as_floats(y_pred)
    labels = _class_numbers(y_true, y_pred)
    flat = ops.reshape(y_pred, (-1, y_pred.shape[-1]))
    found = ops.in_top_k(ops.reshape(labels, (-1,)), flat, k=k)
    return ops.reshape(ops.cast(found, ops.dtype(y_pred)), labels.shape)


@public
class Accuracy(MeanMetricWrapper):
    """The share of predictions that equal their labels.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.

    >>> float(Accuracy()([1, 2], [1, 3]))
    0.5
    """

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


@public
class BinaryAccuracy(MeanMetricWrapper):
    """The share of probabilities on their label's side of a threshold.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
        threshold: Between 0 and 1; above it, a prediction is 1.

    Raises:
        ArgumentError: If the threshold is out of range.

    >>> float(BinaryAccuracy()([[1], [0]], [[0.9], [0.6]]))
    0.5
    """

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: Any = None,
        threshold: float = 0.5,
    ) -> None:
        if not 0 < threshold < 1:
            raise ArgumentError(
                f"threshold must be between 0 and 1, both excluded; got {threshold!r}."
            )
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


@public
class CategoricalAccuracy(MeanMetricWrapper):
    """The share of one-hot labels that are the likeliest class.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self, name: str | None = "categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(categorical_accuracy, name, dtype)


@public
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """The share of class numbers that are the likeliest class.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.

    >>> float(SparseCategoricalAccuracy()([1, 1], [[0.1, 0.9], [0.8, 0.2]]))
    0.5
    """

    def __init__(
        self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


@public
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of one-hot labels among the `k` likeliest classes.

    Args:
        k: How many classes may be tried.
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "top_k_categorical_accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=_number(k))


@public
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of class numbers among the `k` likeliest classes.

    Args:
        k: How many classes may be tried.
        name: The metric's name.
        dtype: As for `Metric`.
        from_sorted_ids: Whether predictions are class numbers, the likeliest first.
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy,
            name,
            dtype,
            k=_number(k),
            from_sorted_ids=from_sorted_ids,
        )


def _number(k: Any) -> int:
    if not isinstance(k, int) or k < 1:
        raise ArgumentError(f"k must be a positive integer, got {k!r}.")
    return k
