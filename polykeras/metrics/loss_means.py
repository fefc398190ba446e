"""Means of losses, and their relatives, as metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polykeras import losses, ops
from polykeras.losses.alignment import pair
from polykeras.metrics.reduction import Mean, MeanMetricWrapper
from polykeras.registry import public

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "RootMeanSquaredError",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
]


@public
class MeanSquaredError(MeanMetricWrapper):
    """The mean squared error.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.

    >>> float(MeanSquaredError()([[0.0]], [[2.0]]))
    4.0
    """

    def __init__(
        self,
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            losses.mean_squared_error,
            name,
            dtype,
        )


@public
class MeanAbsoluteError(MeanMetricWrapper):
    """The mean absolute error.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            losses.mean_absolute_error,
            name,
            dtype,
        )


@public
class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean error relative to the targets, in percent.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            losses.mean_absolute_percentage_error,
            name,
            dtype,
        )


@public
class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean squared difference of ``log(y + 1)``.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            losses.mean_squared_logarithmic_error,
            name,
            dtype,
        )


@public
class LogCoshError(MeanMetricWrapper):
    """The mean logarithm of the hyperbolic cosine of the error.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        name: str | None = "logcosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            losses.log_cosh,
            name,
            dtype,
        )


@public
class BinaryCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of yes-or-no predictions.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How far labels move toward the uniform distribution.
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )


@public
class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of predicted and one-hot labels.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
        from_logits: Whether predictions are logits rather than probabilities.
        label_smoothing: How far labels move toward the uniform distribution.
        axis: The axis of the classes.
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@public
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of predictions and class numbers.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
        from_logits: Whether predictions are logits rather than probabilities.
        ignore_class: A class number whose samples count as 0, with weights not at all.
        axis: The axis of the classes.
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


@public
class KLDivergence(MeanMetricWrapper):
    """The mean Kullback-Leibler divergence.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            losses.kl_divergence,
            name,
            dtype,
        )


@public
class Poisson(MeanMetricWrapper):
    """The mean Poisson loss.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            losses.poisson,
            name,
            dtype,
        )


@public
class Hinge(MeanMetricWrapper):
    """The mean hinge loss.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            losses.hinge,
            name,
            dtype,
        )


@public
class SquaredHinge(MeanMetricWrapper):
    """The mean squared hinge loss.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            losses.squared_hinge,
            name,
            dtype,
        )


@public
class CategoricalHinge(MeanMetricWrapper):
    """The mean categorical hinge loss.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
    """

    def __init__(
        self,
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            losses.categorical_hinge,
            name,
            dtype,
        )


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    return ops.negative(losses.cosine_similarity(y_true, y_pred, axis))


@public
class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between labels and predictions.

    The loss of this name is its negative.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.
        axis: The axis of the vectors.
    """

    def __init__(
        self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(_cosine, name, dtype, axis=axis)


@public
class RootMeanSquaredError(Mean):
    """The root of the mean squared error.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.

    >>> float(RootMeanSquaredError()([[0.0, 0.0]], [[2.0, 2.0]]))
    2.0
    """

    def __init__(
        self, name: str | None = "root_mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Add the squared errors of a batch.

        Args:
            y_true: Targets.
            y_pred: Predictions.
            sample_weight: Weights of the leading axes.
        """
        y_true, y_pred = pair(y_true, y_pred, "RootMeanSquaredError")
        super().update_state(ops.square(ops.subtract(y_true, y_pred)), sample_weight)

    def result(self) -> Tensor:
        """Return the root of the mean."""
        return ops.sqrt(super().result())
