"""Metrics that add values up: `Mean`, `Sum`, and means of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from polykeras import ops
from polykeras.losses.alignment import as_dtype, same_rank, trailing_ones
from polykeras.masking import get_mask
from polykeras.metrics.base import Metric
from polykeras.registry import (
    deserialize_keras_object,
    public,
    serialize_keras_object,
)

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = ["Mean", "MeanMetricWrapper", "Sum", "weigh"]


def weigh(
    values: Any, sample_weight: Any, dtype: str, reduce: Callable[..., Any]
) -> tuple[Tensor, Tensor | None]:
    """Return values times weights, and the weights in the same shape.

    Args:
        values: (B, ...); weights where their mask is False count as 0.
        sample_weight: Weights of the leading axes, or None.
        dtype: The dtype of the results.
        reduce: What is done to the axes of `values` that have no weights.
    """
    mask = get_mask(values)
    values = as_dtype(values, dtype)
    if sample_weight is None:
        return values, None
    weight = as_dtype(sample_weight, dtype)
    if mask is not None:
        weight = trailing_ones(weight, len(mask.shape))
        weight = ops.multiply(weight, ops.cast(mask, dtype))
    values, weight = same_rank(values, weight)
    extra = tuple(range(len(weight.shape), len(values.shape)))
    if extra and weight.shape:
        values = reduce(values, axis=extra)
    rank = max(len(values.shape), len(weight.shape))
    values, weight = trailing_ones(values, rank), trailing_ones(weight, rank)
    product = ops.multiply(values, weight)
    return product, ops.broadcast_to(weight, product.shape)


def _total(x: Tensor) -> Tensor:
    return ops.sum(x) if x.shape else x


def _size(x: Tensor) -> int:
    count = 1
    for n in x.shape:
        count *= n
    return count


@public
class Sum(Metric):
    """The (weighted) sum of values.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.

    >>> metric = Sum()
    >>> metric.update_state([1.0, 2.0])
    >>> float(metric.result())
    3.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values.

        Args:
            values: A tensor of any shape.
            sample_weight: Weights of its leading axes.
        """
        values, _ = weigh(values, sample_weight, self.dtype, ops.sum)
        self.total.assign(ops.add(self.total.value, _total(values)))

    def result(self) -> Tensor:
        """Return the sum."""
        return self.total.value


@public
class Mean(Metric):
    """The (weighted) mean of values.

    Args:
        name: The metric's name.
        dtype: As for `Metric`.

    >>> metric = Mean()
    >>> metric.update_state([1.0, 3.0], sample_weight=[3.0, 1.0])
    >>> float(metric.result())
    1.5
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values.

        Args:
            values: A tensor of any shape.
            sample_weight: Weights of its leading axes.
        """
        values, weight = weigh(values, sample_weight, self.dtype, ops.mean)
        self.total.replace(ops.add(self.total.value, _total(values)))
        count = _size(values) if weight is None else _total(weight)
        self.count.replace(ops.add(self.count.value, count))

    def result(self) -> Tensor:
        """Return the mean, 0 before the first value."""
        return ops.divide_no_nan(self.total.value, self.count.value)


@public
class MeanMetricWrapper(Mean):
    """The mean of a function of labels and predictions.

    Args:
        fn: Returns one value for each sample.
        name: The metric's name; None takes the function's.
        dtype: As for `Metric`.
        kwargs: Passed to `fn`.

    >>> from polykeras.losses import mean_squared_error
    >>> metric = MeanMetricWrapper(mean_squared_error, name="mse")
    >>> metric.update_state([[0.0]], [[2.0]])
    >>> float(metric.result())
    4.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name or str(getattr(fn, "__name__", "mean")), dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Add the function's values for a batch.

        Args:
            y_true: Labels.
            y_pred: Predictions.
            sample_weight: Weights of the leading axes of the function's values.
        """
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        if type(self) is MeanMetricWrapper:
            config["fn"] = serialize_keras_object(self._fn)
        options = {k: serialize_keras_object(v) for k, v in self._fn_kwargs.items()}
        return {**config, **options}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make a metric from what `get_config` returned."""
        return cls(**{k: deserialize_keras_object(v) for k, v in config.items()})
