"""The best of one rate while another is good enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polykeras import ops
from polykeras.errors import ArgumentError
from polykeras.metrics._counts import Counts, count, even_thresholds
from polykeras.metrics.base import Metric
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = [
    "PrecisionAtRecall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
]


def _precision(c: Counts) -> Tensor:
    total = ops.add(c.true_positives, c.false_positives)
    return ops.divide_no_nan(c.true_positives, total)


def _recall(c: Counts) -> Tensor:
    total = ops.add(c.true_positives, c.false_negatives)
    return ops.divide_no_nan(c.true_positives, total)


def _specificity(c: Counts) -> Tensor:
    total = ops.add(c.true_negatives, c.false_positives)
    return ops.divide_no_nan(c.true_negatives, total)


class _BestAt(Metric):
    """Counts at evenly spaced thresholds, and the choice among them."""

    def __init__(
        self,
        value: float,
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if not 0 <= value <= 1:
            raise ArgumentError(
                f"{type(self).__name__} needs a rate from 0 to 1, got {value!r}."
            )
        if num_thresholds <= 0:
            raise ArgumentError(
                f"num_thresholds must be positive, got {num_thresholds!r}."
            )
        self.value = value
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        several = num_thresholds > 1
        self._evenly = several
        self.thresholds = even_thresholds(num_thresholds, 0, 0) if several else [0.5]
        for field in Counts._fields:
            variable = self.add_variable((num_thresholds,), "zeros", name=field)
            setattr(self, field, variable)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Labels 0 or 1.
            y_pred: Probabilities of the same shape.
            sample_weight: Weights of the leading axes.
        """
        counts = count(
            y_true,
            y_pred,
            sample_weight,
            self.thresholds,
            self.dtype,
            evenly=self._evenly,
            class_id=self.class_id,
        )
        for variable, new in zip(self._variables, counts, strict=True):
            variable.assign(ops.add(variable.value, new))

    def _counts(self) -> Counts:
        return Counts(*(v.value for v in self._variables))

    def _best(self, wanted: Tensor, limited: Tensor) -> Tensor:
        allowed = ops.greater_equal(limited, self.value)
        return ops.max(ops.where(allowed, wanted, ops.zeros_like(wanted)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "class_id": self.class_id,
            "num_thresholds": self.num_thresholds,
        }


@public
class SensitivityAtSpecificity(_BestAt):
    """The best sensitivity at a threshold whose specificity is good enough.

    Args:
        specificity: The least specificity, from 0 to 1.
        num_thresholds: How many thresholds are tried.
        class_id: The only class to look at; None for all.
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def result(self) -> Tensor:
        """Return the sensitivity, 0 if no threshold is good enough."""
        counts = self._counts()
        return self._best(_recall(counts), _specificity(counts))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "specificity": self.specificity}


@public
class SpecificityAtSensitivity(_BestAt):
    """The best specificity at a threshold whose sensitivity is good enough.

    Args:
        sensitivity: The least sensitivity, from 0 to 1.
        num_thresholds: How many thresholds are tried.
        class_id: The only class to look at; None for all.
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def result(self) -> Tensor:
        """Return the specificity, 0 if no threshold is good enough."""
        counts = self._counts()
        return self._best(_specificity(counts), _recall(counts))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "sensitivity": self.sensitivity}


@public
class PrecisionAtRecall(_BestAt):
    """The best precision at a threshold whose recall is good enough.

    Args:
        recall: The least recall, from 0 to 1.
        num_thresholds: How many thresholds are tried.
        class_id: The only class to look at; None for all.
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def result(self) -> Tensor:
        """Return the precision, 0 if no threshold is good enough."""
        counts = self._counts()
        return self._best(_precision(counts), _recall(counts))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "recall": self.recall}


@public
class RecallAtPrecision(_BestAt):
    """The best recall at a threshold whose precision is good enough.

    Args:
        precision: The least precision, from 0 to 1.
        num_thresholds: How many thresholds are tried.
        class_id: The only class to look at; None for all.
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def result(self) -> Tensor:
        """Return the recall, 0 if no threshold is good enough."""
        counts = self._counts()
        return self._best(_recall(counts), _precision(counts))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "precision": self.precision}
