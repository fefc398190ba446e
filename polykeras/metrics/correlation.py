"""How well predictions follow targets: R squared and correlations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polykeras import config, ops
from polykeras.errors import ArgumentError, ShapeError
from polykeras.losses.alignment import pair
from polykeras.metrics.base import Metric
from polykeras.metrics.reduction import MeanMetricWrapper
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = [
    "ConcordanceCorrelation",
    "PearsonCorrelation",
    "R2Score",
    "concordance_correlation",
    "pearson_correlation",
]


@public
class R2Score(Metric):
    """The share of the targets' variance that predictions explain.

    Args:
        class_aggregation: ``"uniform_average"``, ``"variance_weighted_average"``, or
            None for one score a column.
        num_regressors: Number of inputs, for the adjusted score; 0 for the plain.
        name: The metric's name.
        dtype: As for `Metric`.

    Raises:
        ArgumentError: If an argument is out of range.

    >>> round(float(R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
    0.5714
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        allowed = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in allowed:
            raise ArgumentError(
                f"Unknown class_aggregation {class_aggregation!r}; allowed: {allowed}."
            )
        if num_regressors < 0:
            raise ArgumentError(
                f"num_regressors must not be negative, got {num_regressors!r}."
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def _build(self, columns: int) -> None:
        names = ("squared_sum", "sum", "residual", "count")
        self._slots = [self.add_variable((columns,), "zeros", name=n) for n in names]
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: Targets, (B, F).
            y_pred: Predictions of the same shape.
            sample_weight: Weights of the samples, (B,).

        Raises:
            ShapeError: If the rank is not 2.
        """
        y_true, y_pred = pair(y_true, ops.cast(y_pred, self.dtype), "R2Score")
        if len(y_pred.shape) != 2:
            raise ShapeError(
                "R2Score expects predictions of shape (batch, outputs), got "
                f"{tuple(y_pred.shape)}."
            )
        if not self._built:
            self._build(y_pred.shape[-1])
        if sample_weight is None:
            weight = ops.ones((y_true.shape[0], 1), dtype=self.dtype)
        else:
            weight = ops.cast(ops.convert_to_tensor(sample_weight), self.dtype)
            if len(weight.shape) == 1:
                weight = ops.expand_dims(weight, -1)
        weight = ops.broadcast_to(weight, y_true.shape)
        squared_error = ops.square(ops.subtract(y_true, y_pred))
        parts = (ops.square(y_true), y_true, squared_error, ops.ones_like(y_true))
        for variable, part in zip(self._slots, parts, strict=True):
            total = ops.sum(ops.multiply(part, weight), axis=0)
            variable.assign(ops.add(variable.value, total))
        # Keras counts every target, not every row.
        count = y_true.shape[0] * y_true.shape[1]
        seen = ops.add(self.num_samples.value, count)
        self.num_samples.assign(seen)

    def result(self) -> Tensor:
        """Return the score, or one for each column without aggregation."""
        squares, total, residual, count = (v.value for v in self._slots)
        mean = ops.divide(total, count)
        variance = ops.subtract(squares, ops.multiply(total, mean))
        score = ops.subtract(1.0, ops.divide(residual, variance))
        score = ops.where(ops.isinf(score), ops.zeros_like(score), score)
        if self.class_aggregation == "uniform_average":
            score = ops.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            weighed = ops.sum(ops.multiply(score, variance))
            score = ops.divide(weighed, ops.sum(variance))
        return self._adjusted(score) if self.num_regressors else score

    def _adjusted(self, score: Tensor) -> Tensor:
        n, p = self.num_samples.value, self.num_regressors
        free = ops.subtract(n, p + 1)
        loss = ops.multiply(ops.subtract(1.0, score), ops.subtract(n, 1))
        adjusted = ops.subtract(1.0, ops.divide(loss, free))
        # Too few samples leave nothing to adjust with.
        return ops.where(ops.greater(free, 0), adjusted, score)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }


def _centered(y: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    mean = ops.mean(y, axis=axis, keepdims=True)
    return ops.subtract(y, mean), mean


@public
def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Return the Pearson correlation along an axis.

    Args:
        y_true: Targets, any shape.
        y_pred: Predictions of the same shape.
        axis: The axis of the values that are compared.

    Returns:
        The tensor without `axis`.

    >>> round(float(pearson_correlation([[0.0, 1.0, 2.0]], [[1.0, 3.0, 5.0]])[0]), 4)
    1.0
    """
    y_true, y_pred = pair(y_true, y_pred, "pearson_correlation")
    a, b = (ops.normalize(_centered(y, axis)[0], axis=axis) for y in (y_true, y_pred))
    return ops.sum(ops.multiply(a, b), axis=axis)


@public
def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Return Lin's concordance correlation along an axis.

    Args:
        y_true: Targets, any shape.
        y_pred: Predictions of the same shape.
        axis: The axis of the values that are compared.

    Returns:
        The tensor without `axis`.

    Reference: Lin, 1989, "A concordance correlation coefficient to evaluate
    reproducibility".
    """
    y_true, y_pred = pair(y_true, y_pred, "concordance_correlation")
    (a, mean_a), (b, mean_b) = _centered(y_true, axis), _centered(y_pred, axis)
    together = ops.multiply(2.0, ops.mean(ops.multiply(a, b), axis=axis))
    shift = ops.squeeze(ops.square(ops.subtract(mean_a, mean_b)), axis)
    spread = ops.mean(ops.add(ops.square(a), ops.square(b)), axis=axis)
    return ops.divide(together, ops.add(ops.add(spread, shift), config.epsilon()))


@public
class PearsonCorrelation(MeanMetricWrapper):
    """The mean Pearson correlation.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
        axis: The axis of the values that are compared.
    """

    def __init__(
        self,
        name: str | None = "pearson_correlation",
        dtype: Any = None,
        axis: int = -1,
    ) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


@public
class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean concordance correlation.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
        axis: The axis of the values that are compared.
    """

    def __init__(
        self,
        name: str | None = "concordance_correlation",
        dtype: Any = None,
        axis: int = -1,
    ) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
