"""Intersection over union, from a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polykeras import ops
from polykeras.allocation import charge
from polykeras.errors import ArgumentError
from polykeras.metrics.base import Metric
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


@public
class IoU(Metric):
    """The mean intersection over union of some classes.

    Args:
        num_classes: How many classes there are.
        target_class_ids: The classes to average over.
        name: The metric's name.
        dtype: The dtype of the confusion matrix; None means int32, which rounds
            sample weights toward zero.
        ignore_class: A class number of labels that do not count.
        sparse_y_true: Whether labels are class numbers rather than one-hot.
        sparse_y_pred: Whether predictions are class numbers rather than scores.
        axis: The axis of the classes, where they are not numbers.

    Raises:
        ArgumentError: If a target class is out of range.

    >>> metric = IoU(num_classes=2, target_class_ids=[0])
    >>> round(float(metric([0, 0, 1, 1], [0, 1, 0, 1])), 4)
    0.3333
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "int32")
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        if not self.target_class_ids or max(self.target_class_ids) >= num_classes:
            raise ArgumentError(
                f"target_class_ids must be class numbers below {num_classes}, got "
                f"{self.target_class_ids}."
            )
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_confusion_matrix = self.add_variable(
            (num_classes, num_classes), "zeros", name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Class numbers, or one-hot labels.
            y_pred: Class numbers, or scores.
            sample_weight: Weights, one for each class number.
        """
        y_true, y_pred = (
            ops.convert_to_tensor(y)
            if sparse
            else ops.argmax(ops.convert_to_tensor(y), axis=self.axis)
            for y, sparse in (
                (y_true, self.sparse_y_true),
                (y_pred, self.sparse_y_pred),
            )
        )
        labels = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        chosen = ops.reshape(ops.cast(y_pred, "int32"), (-1,))
        weight = self._flat_weights(sample_weight, tuple(y_true.shape))
        if self.ignore_class is not None:
            kept = ops.not_equal(labels, self.ignore_class)
            weight = ops.multiply(weight, ops.cast(kept, self.dtype))
            labels = ops.where(kept, labels, ops.zeros_like(labels))
        n = self.num_classes
        cells = ops.add(ops.multiply(labels, n), chosen)
        counts = ops.segment_sum(weight, cells, num_segments=n * n)
        matrix = ops.reshape(ops.cast(counts, self.dtype), (n, n))
        total = self.total_confusion_matrix
        total.assign(ops.add(total.value, matrix))

    def _flat_weights(self, sample_weight: Any, shape: tuple[int, ...]) -> Tensor:
        if sample_weight is None:
            return ops.reshape(ops.ones(shape, dtype=self.dtype), (-1,))
        weight = ops.cast(ops.convert_to_tensor(sample_weight), self.dtype)
        missing = len(shape) - len(weight.shape)
        if missing > 0:
            weight = ops.reshape(weight, (*weight.shape, *(1,) * missing))
            weight = ops.broadcast_to(weight, shape)
        return ops.reshape(weight, (-1,))

    def result(self) -> Tensor:
        """Return the mean over the target classes that occur."""
        matrix = ops.cast(self.total_confusion_matrix.value, "float32")
        common = ops.diagonal(matrix)
        either = ops.add(ops.sum(matrix, axis=0), ops.sum(matrix, axis=1))
        union = ops.subtract(either, common)
        common, union = (ops.take(x, self.target_class_ids) for x in (common, union))
        occurring = ops.sum(ops.cast(ops.not_equal(union, 0), "float32"))
        return ops.divide_no_nan(ops.sum(ops.divide_no_nan(common, union)), occurring)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }


def _without(config: dict[str, Any], *names: str) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k not in names}


@public
class BinaryIoU(IoU):
    """The mean intersection over union of two classes, from probabilities.

    Args:
        target_class_ids: The classes to average over: 0, 1 or both.
        threshold: Predictions from it on are of class 1; None if they are 0 or 1.
        name: The metric's name.
        dtype: As for `IoU`.
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float | None = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch."""
        y_pred = ops.convert_to_tensor(y_pred)
        if self.threshold is not None:
            y_pred = ops.greater_equal(y_pred, self.threshold)
        super().update_state(y_true, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        own = ("name", "dtype", "target_class_ids")
        config = {k: v for k, v in super().get_config().items() if k in own}
        return {**config, "threshold": self.threshold}


@public
class MeanIoU(IoU):
    """The mean intersection over union of all classes.

    Args:
        num_classes: How many classes there are.
        name: The metric's name.
        dtype: As for `IoU`.
        ignore_class: As for `IoU`.
        sparse_y_true: As for `IoU`.
        sparse_y_pred: As for `IoU`.
        axis: As for `IoU`.

    >>> round(float(MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])), 4)
    0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        charge((num_classes, 8), "float32", "target_class_ids")
        super().__init__(
            num_classes,
            list(range(num_classes)),
            name,
            dtype,
            ignore_class,
            sparse_y_true,
            sparse_y_pred,
            axis,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return _without(super().get_config(), "target_class_ids")


@public
class OneHotIoU(IoU):
    """The mean intersection over union of some classes, from one-hot labels.

    Args:
        num_classes: How many classes there are.
        target_class_ids: The classes to average over.
        name: The metric's name.
        dtype: As for `IoU`.
        ignore_class: As for `IoU`.
        sparse_y_pred: As for `IoU`.
        axis: As for `IoU`.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            target_class_ids,
            name,
            dtype,
            ignore_class,
            False,
            sparse_y_pred,
            axis,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return _without(super().get_config(), "sparse_y_true")


@public
class OneHotMeanIoU(MeanIoU):
    """The mean intersection over union of all classes, from one-hot labels.

    Args:
        num_classes: How many classes there are.
        name: The metric's name.
        dtype: As for `IoU`.
        ignore_class: As for `IoU`.
        sparse_y_pred: As for `IoU`.
        axis: As for `IoU`.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return _without(super().get_config(), "sparse_y_true")
