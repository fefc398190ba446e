"""Harmonic means of precision and recall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polykeras import ops
from polykeras.errors import ArgumentError, ShapeError, nearest
from polykeras.losses.alignment import pair
from polykeras.metrics.base import Metric
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = ["F1Score", "FBetaScore"]

_AVERAGES = ("micro", "macro", "weighted")
_SLOTS = (
    "true_positives",
    "false_positives",
    "false_negatives",
    "intermediate_weights",
)


@public
class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall.

    Args:
        average: None for one score a class, ``"micro"`` for all decisions together,
            ``"macro"`` for the mean over classes, ``"weighted"`` for the mean
            weighted by the classes' numbers of samples.
        beta: How much more recall counts than precision.
        threshold: Predictions above it are positive; None takes the largest.
        name: The metric's name.
        dtype: As for `Metric`.

    Raises:
        ArgumentError: If an argument is out of range.

    >>> metric = FBetaScore(beta=2.0, average="micro", threshold=0.5)
    >>> round(float(metric([[1, 0], [1, 1]], [[0.9, 0.2], [0.4, 0.8]])), 4)
    0.7143
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if average is not None and average not in _AVERAGES:
            raise ArgumentError(
                f"Unknown average {average!r}. {nearest(average, _AVERAGES)}"
            )
        if beta <= 0:
            raise ArgumentError(f"beta must be a positive number, got {beta!r}.")
        if threshold is not None and not 0 < threshold <= 1:
            raise ArgumentError(
                f"threshold must be above 0 and at most 1, got {threshold!r}."
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.axis = None if average == "micro" else 0
        self._built = False

    def _build(self, classes: int) -> None:
        shape = () if self.average == "micro" else (classes,)
        self._slots = [self.add_variable(shape, "zeros", name=n) for n in _SLOTS]
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Labels 0 or 1, (B, C).
            y_pred: Probabilities, (B, C).
            sample_weight: Weights of the samples, (B,).

        Raises:
            ShapeError: If the predictions are not of rank 2.
        """
        y_true, y_pred = pair(y_true, ops.cast(y_pred, self.dtype), self.name)
        if len(y_pred.shape) != 2:
            raise ShapeError(
                f"{type(self).__name__} expects predictions of shape (batch, classes), "
                f"got {tuple(y_pred.shape)}."
            )
        if not self._built:
            self._build(y_pred.shape[-1])
        if self.threshold is None:
            largest = ops.max(y_pred, axis=-1, keepdims=True)
            # A row of zeros has no largest prediction.
            chosen = ops.logical_and(
                ops.greater_equal(y_pred, largest), ops.greater(ops.abs(y_pred), 1e-9)
            )
        else:
            chosen = ops.greater(y_pred, self.threshold)
        said = ops.cast(chosen, self.dtype)
        wrong_yes = ops.multiply(said, ops.subtract(1.0, y_true))
        wrong_no = ops.multiply(ops.subtract(1.0, said), y_true)
        parts = (ops.multiply(said, y_true), wrong_yes, wrong_no, y_true)
        if sample_weight is not None:
            weight = ops.cast(ops.convert_to_tensor(sample_weight), self.dtype)
            weight = ops.reshape(weight, (-1, 1))
            parts = tuple(ops.multiply(part, weight) for part in parts)
        for variable, part in zip(self._slots, parts, strict=True):
            total = ops.sum(part, axis=self.axis)
            variable.assign(ops.add(variable.value, total))

    def result(self) -> Tensor:
        """Return the score, or one for each class without `average`."""
        hits, wrong_yes, wrong_no, weights = (v.value for v in self._slots)
        precision = ops.divide_no_nan(hits, ops.add(hits, wrong_yes))
        recall = ops.divide_no_nan(hits, ops.add(hits, wrong_no))
        square = self.beta**2
        mean = ops.divide_no_nan(
            ops.multiply(precision, recall),
            ops.add(ops.multiply(square, precision), recall),
        )
        score = ops.multiply(1 + square, mean)
        if self.average == "weighted":
            shares = ops.divide_no_nan(weights, ops.sum(weights))
            return ops.sum(ops.multiply(score, shares))
        return score if self.average is None else ops.mean(score)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


@public
class F1Score(FBetaScore):
    """The harmonic mean of precision and recall.

    Args:
        average: As for `FBetaScore`.
        threshold: As for `FBetaScore`.
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        del config["beta"]
        return config
