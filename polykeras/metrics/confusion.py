"""Counts of right and wrong decisions, precision and recall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from polykeras import ops
from polykeras.metrics._counts import BELOW_ALL, check_thresholds, count
from polykeras.metrics.base import Metric
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = [
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "Recall",
    "TrueNegatives",
    "TruePositives",
]


class _Count(Metric):
    """One of the four counts."""

    _field: ClassVar[str]

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = check_thresholds(thresholds)
        self.accumulator = self.add_variable(
            (len(self.thresholds),), "zeros", name="accumulator"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Labels 0 or 1.
            y_pred: Probabilities of the same shape.
            sample_weight: Weights of the leading axes.
        """
        counts = count(y_true, y_pred, sample_weight, self.thresholds, self.dtype)
        new = getattr(counts, self._field)
        self.accumulator.assign(ops.add(self.accumulator.value, new))

    def result(self) -> Tensor:
        """Return the count, or one for each threshold if several were given."""
        return _one_or_all(self.accumulator.value)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


def _one_or_all(x: Tensor) -> Tensor:
    return x[0] if x.shape[0] == 1 else x


@public
class TruePositives(_Count):
    """The number of positives that were predicted.

    Args:
        thresholds: Predictions above it are positive; 0.5, or a list of several.
        name: The metric's name.
        dtype: As for `Metric`.

    >>> float(TruePositives()([0, 1, 1, 1], [1.0, 0.0, 1.0, 1.0]))
    2.0
    """

    _field = "true_positives"


@public
class FalsePositives(_Count):
    """The number of negatives that were predicted to be positive.

    Args:
        thresholds: Predictions above it are positive; 0.5, or a list of several.
        name: The metric's name.
        dtype: As for `Metric`.
    """

    _field = "false_positives"


@public
class TrueNegatives(_Count):
    """The number of negatives that were predicted.

    Args:
        thresholds: Predictions above it are positive; 0.5, or a list of several.
        name: The metric's name.
        dtype: As for `Metric`.
    """

    _field = "true_negatives"


@public
class FalseNegatives(_Count):
    """The number of positives that were predicted to be negative.

    Args:
        thresholds: Predictions above it are positive; 0.5, or a list of several.
        name: The metric's name.
        dtype: As for `Metric`.
    """

    _field = "false_negatives"


class _Ratio(Metric):
    """True positives as a share of them and one other count."""

    _other: ClassVar[str]

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        default = 0.5 if top_k is None else BELOW_ALL
        self.thresholds = check_thresholds(thresholds, default)
        shape = (len(self.thresholds),)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self._others = self.add_variable(shape, "zeros", name=self._other)

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
            class_id=self.class_id,
            top_k=self.top_k,
        )
        for variable, new in (
            (self.true_positives, counts.true_positives),
            (self._others, getattr(counts, self._other)),
        ):
            variable.assign(ops.add(variable.value, new))

    def result(self) -> Tensor:
        """Return the share, or one for each threshold if several were given."""
        hits = self.true_positives.value
        total = ops.add(hits, self._others.value)
        return _one_or_all(ops.divide_no_nan(hits, total))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


@public
class Precision(_Ratio):
    """The share of predicted positives that are positive.

    Args:
        thresholds: Predictions above it are positive; 0.5, or a list of several.
        top_k: Only the `top_k` largest predictions of a row count as positive.
        class_id: The only class to look at; None for all.
        name: The metric's name.
        dtype: As for `Metric`.

    >>> float(Precision()([0, 1, 1, 1], [1.0, 0.0, 1.0, 0.0]))
    0.5
    """

    _other = "false_positives"


@public
class Recall(_Ratio):
    """The share of positives that were predicted.

    Args:
        thresholds: Predictions above it are positive; 0.5, or a list of several.
        top_k: Only the `top_k` largest predictions of a row count as positive.
        class_id: The only class to look at; None for all.
        name: The metric's name.
        dtype: As for `Metric`.

    >>> float(Recall()([0, 1, 1, 1, 1], [1.0, 0.0, 1.0, 0.0, 1.0]))
    0.5
    """

    _other = "false_negatives"
