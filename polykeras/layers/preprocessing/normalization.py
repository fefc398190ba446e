"""`Normalization`: mean 0 and variance 1 over a data set."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from polykeras import config, ops
from polykeras.backend import Array, Tensor
from polykeras.errors import ArgumentError, DataError, ShapeError
from polykeras.layers.layer import Layer
from polykeras.layers.normalization._scaling import as_axes
from polykeras.registry import public
from polykeras.variables import Variable

__all__ = ["Normalization"]


@public
class Normalization(Layer):
    """Shift and scale features to mean 0 and variance 1 over a data set.

    The statistics are given, or found by `adapt` before training; training does not
    change them.

    Args:
        axis: The axis of the features, or several, each combination of which has
            statistics of its own; None gives one mean for everything.
        mean: The mean, with `variance` instead of `adapt`.
        variance: The variance.
        invert: Whether normalised values are turned back into original ones.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If only one of `mean` and `variance` is given.

    >>> import polykeras as keras
    >>> layer = keras.layers.Normalization(axis=None)
    >>> layer.adapt([1.0, 2.0, 3.0, 4.0, 5.0])
    >>> [round(x, 4) for x in layer(keras.ops.array([3.0, 5.0])).tolist()]
    [0.0, 1.4142]
    """

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ArgumentError(
                "Normalization needs mean and variance together, got only "
                f"{'variance' if mean is None else 'mean'}."
            )
        if axis is None:
            self.axis: tuple[int, ...] = ()
        else:
            self.axis = tuple(axis) if isinstance(axis, Sequence) else (axis,)
        self.input_mean = None if mean is None else np.asarray(mean, "float64")
        self.input_variance = (
            None if variance is None else np.asarray(variance, "float64")
        )
        self.invert = invert
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the statistics for the sizes of the axes, or check those given."""
        rank = len(input_shape)
        axes = as_axes("Normalization", self.axis, input_shape)
        sizes = tuple(input_shape[a] for a in axes)
        if None in sizes:
            raise ShapeError(
                f"The layer {self.name!r} has statistics along the axes {axes}, whose "
                f"sizes must be known, got an input of shape {tuple(input_shape)}."
            )
        self._reduced = tuple(i for i in range(rank) if i not in axes)
        self._broadcast = tuple(
            (input_shape[i] or 0) if i in axes else 1 for i in range(rank)
        )
        if self.input_mean is not None:
            self._constants = [
                self._given("mean", self.input_mean),
                self._given("variance", self.input_variance),
            ]
            return
        self.adapt_mean = self._statistics_weight("mean", sizes, "zeros")
        self.adapt_variance = self._statistics_weight("variance", sizes, "ones")
        self.count = self.add_weight(
            name="count", shape=(), dtype="int32", initializer="zeros", trainable=False
        )

    def _statistics_weight(self, name: str, sizes: Any, initializer: str) -> Variable:
        return self.add_weight(
            name=name,
            shape=sizes,
            initializer=initializer,
            trainable=False,
            autocast=False,
        )

    def _given(self, name: str, value: Any) -> Array:
        try:
            flat = np.broadcast_to(value, self._broadcast)
        except ValueError as error:
            raise ShapeError(
                f"The layer {self.name!r} got a {name} of shape {value.shape}, which "
                f"does not broadcast to {self._broadcast}, the sizes of its axes."
            ) from error
        return np.array(flat)

    @property
    def mean(self) -> Tensor:
        """The mean, of a shape that broadcasts with the inputs."""
        return self._statistic(0)

    @property
    def variance(self) -> Tensor:
        """The variance, of a shape that broadcasts with the inputs."""
        return self._statistic(1)

    def _statistic(self, which: int) -> Tensor:
        if self.input_mean is not None:
            return ops.cast(self._constants[which], self.compute_dtype)
        weight = (self.adapt_mean, self.adapt_variance)[which]
        return ops.cast(ops.reshape(weight.value, self._broadcast), self.compute_dtype)

    def adapt(self, data: Any) -> None:
        """Find mean and variance of a data set, forgetting earlier ones.

        Args:
            data: An array, a tensor, or an iterable of batches. The first axis is
                that of the samples; of batches that are tuples, the first part
                counts.

        Raises:
            ArgumentError: If mean and variance were given to the constructor.
            DataError: If there are no values.
        """
        if self.input_mean is not None:
            raise ArgumentError(
                "Normalization was given mean and variance and cannot adapt. Leave "
                "them out to find them from data."
            )
        count, mean, squares = 0, np.zeros(()), np.zeros(())
        for batch in _batches(data):
            if not self.built:
                self.build((None, *batch.shape[1:]))
            if len(batch.shape) != len(self._broadcast):
                raise ShapeError(
                    f"The layer {self.name!r} was built for {len(self._broadcast)} "
                    f"axes, got data of shape {batch.shape}."
                )
            number = math.prod(batch.shape[a] for a in self._reduced)
            if number == 0:
                continue
            # Chan, Golub and LeVeque, 1983: combine means and sums of squares.
            new = batch.mean(self._reduced, dtype="float64")
            spread = batch.var(self._reduced, dtype="float64") * number
            total = count + number
            delta = new - mean
            mean = mean + delta * (number / total)
            squares = squares + spread + delta**2 * (count * number / total)
            count = total
        if count == 0:
            raise DataError("Normalization.adapt got no values to take the mean of.")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(squares / count)
        self.count.assign(min(count, np.iinfo("int32").max))

    def call(self, inputs: Tensor) -> Tensor:
        """Return normalised values, or with `invert` original ones."""
        x = ops.cast(inputs, self.compute_dtype)
        spread = ops.maximum(ops.sqrt(self.variance), config.epsilon())
        if self.invert:
            return ops.add(self.mean, ops.multiply(x, spread))
        return ops.divide(ops.subtract(x, self.mean), spread)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        mean, variance = self.input_mean, self.input_variance
        return {
            **super().get_config(),
            "axis": list(self.axis) if self.axis else None,
            "mean": None if mean is None else mean.tolist(),
            "variance": None if variance is None else variance.tolist(),
            "invert": self.invert,
        }


def _batches(data: Any) -> Iterable[Array]:
    """Yield arrays, each a batch."""
    if hasattr(data, "shape"):
        yield np.asarray(ops.convert_to_numpy(data))
        return
    if isinstance(data, list | tuple):
        yield np.asarray(data)
        return
    for batch in data:
        first = batch[0] if isinstance(batch, list | tuple) else batch
        yield np.asarray(ops.convert_to_numpy(first))
