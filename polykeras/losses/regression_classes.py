"""Losses between numbers, as classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polykeras.losses.base import LossFunctionWrapper
from polykeras.losses.regression import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from polykeras.registry import public

__all__ = [
    "CosineSimilarity",
    "Huber",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
]


@public
class MeanSquaredError(LossFunctionWrapper):
    """The mean of squared differences.

    Args:
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.

    >>> float(MeanSquaredError()([[0.0, 2.0]], [[1.0, 1.0]]))
    1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            mean_squared_error,
            reduction=reduction,
            name=name,
            dtype=dtype,
        )


@public
class MeanAbsoluteError(LossFunctionWrapper):
    """The mean of absolute differences.

    Args:
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.

    >>> float(MeanAbsoluteError()([[0.0, 2.0]], [[1.0, 4.0]]))
    1.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            mean_absolute_error,
            reduction=reduction,
            name=name,
            dtype=dtype,
        )


@public
class MeanAbsolutePercentageError(LossFunctionWrapper):
    """The mean of differences relative to the targets, in percent.

    Args:
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.

    >>> float(MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
    25.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            mean_absolute_percentage_error,
            reduction=reduction,
            name=name,
            dtype=dtype,
        )


@public
class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """The mean of squared differences of ``log(y + 1)``.

    Args:
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            mean_squared_logarithmic_error,
            reduction=reduction,
            name=name,
            dtype=dtype,
        )


@public
class CosineSimilarity(LossFunctionWrapper):
    """The negative cosine of the angle: -1 for equal directions.

    Args:
        axis: The axis or axes of one value of the loss.
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.

    >>> float(CosineSimilarity()([[1.0, 0.0]], [[2.0, 0.0]]))
    -1.0
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            cosine_similarity,
            reduction=reduction,
            name=name,
            dtype=dtype,
            axis=axis,
        )


@public
class Huber(LossFunctionWrapper):
    """Quadratic near 0 and linear beyond `delta`.

    Args:
        delta: Where the loss becomes linear.
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.

    >>> float(Huber()([[0.0, 0.0]], [[1.0, 3.0]]))
    1.5
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            huber,
            reduction=reduction,
            name=name,
            dtype=dtype,
            delta=delta,
        )


@public
class LogCosh(LossFunctionWrapper):
    """The mean of the logarithm of the hyperbolic cosine of differences.

    Args:
        reduction: As for `Loss`.
        name: The loss's name.
        dtype: As for `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            log_cosh,
            reduction=reduction,
            name=name,
            dtype=dtype,
        )
