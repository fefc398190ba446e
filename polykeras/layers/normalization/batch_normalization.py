"""`BatchNormalization`: mean 0 and variance 1 over the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from polykeras import initializers, ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers._input_spec import InputSpec
from polykeras.layers.normalization._scaling import ScaledLayer, as_axes, wide
from polykeras.registry import public

__all__ = ["BatchNormalization"]


@public
class BatchNormalization(ScaledLayer):
    """Give every feature mean 0 and variance 1, then scale and shift it.

    In training the statistics are those of the batch, and moving averages of them
    are kept: ``moving = moving * momentum + batch * (1 - momentum)``. Inference uses
    the moving averages, and so does training while ``trainable`` is False. The
    variance is the biased one, a mean of squares.

    Args:
        axis: The axis of the features.
        momentum: How much of the moving averages stays at each step.
        epsilon: Added to the variance.
        center: Whether the offset `beta` is learned.
        scale: Whether the factor `gamma` is learned.
        beta_initializer: Makes the offsets.
        gamma_initializer: Makes the factors.
        moving_mean_initializer: Makes the first moving mean.
        moving_variance_initializer: Makes the first moving variance.
        beta_regularizer: Adds to the loss.
        gamma_regularizer: Adds to the loss.
        beta_constraint: Applied after updates.
        gamma_constraint: Applied after updates.
        synchronized: Kept for programs that train replicas, which would share their
            statistics; one process has nothing to share.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `axis` is not an int.

    Reference: Ioffe and Szegedy, 2015, "Batch Normalization", algorithms 1 and 2.

    >>> import polykeras as keras
    >>> layer = keras.layers.BatchNormalization(epsilon=0.0)
    >>> layer(keras.ops.array([[1.0], [3.0]]), training=True).tolist()
    [[-1.0], [1.0]]
    >>> [round(float(layer.moving_mean.numpy()[0]), 4)]
    [0.02]
    """

    _keras_only: ClassVar[Mapping[str, Any]] = {
        "renorm": False,
        "renorm_clipping": None,
        "renorm_momentum": 0.99,
    }

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        if isinstance(axis, list | tuple) and len(axis) == 1:
            axis = axis[0]
        if not isinstance(axis, int):
            raise ArgumentError(f"BatchNormalization needs one int axis, got {axis!r}.")
        self.axis: int = axis
        self.momentum = float(momentum)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.synchronized = synchronized

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make scale, offset and moving averages, one value a feature."""
        (axis,) = as_axes(type(self).__name__, self.axis, input_shape)
        shape = self._known_sizes(input_shape, (axis,))
        self._add_scale_and_offset(shape)
        self.moving_mean = self.add_weight(
            name="moving_mean",
            shape=shape,
            initializer=self.moving_mean_initializer,
            trainable=False,
            autocast=False,
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            shape=shape,
            initializer=self.moving_variance_initializer,
            trainable=False,
            autocast=False,
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: shape[0]})

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return normalised inputs.

        Args:
            inputs: A tensor whose axis `axis` holds the features.
            training: Whether statistics are taken from the batch.
            mask: Which positions count for the statistics, over the axes before the
                last: shape ``inputs.shape[:-1]``.

        Returns:
            A tensor of the shape of `inputs`.

        Raises:
            ShapeError: If `mask` has another rank.
        """
        learned = training and self.trainable
        if learned and mask is None:
            outputs, mean, variance = ops.batch_normalization_training(
                wide(inputs), self.axis, self.beta, self.gamma, self.epsilon
            )
        else:
            if learned:
                mean, variance = self._batch_statistics(wide(inputs), mask)
            else:
                mean, variance = self.moving_mean.value, self.moving_variance.value
            outputs = ops.batch_normalization(
                *(wide(inputs), mean, variance, self.axis),
                *(self.beta, self.gamma, self.epsilon),
            )
        if learned:
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, variance)
        return ops.cast(outputs, ops.dtype(inputs))

    def _batch_statistics(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        rank = len(x.shape)
        axes = tuple(i for i in range(rank) if i != self.axis % rank)
        if len(mask.shape) != rank - 1:
            raise ShapeError(
                f"The layer {self.name!r} needs a mask over all axes but the last, got "
                f"shape {tuple(mask.shape)} for an input of shape {tuple(x.shape)}."
            )
        counted = ops.expand_dims(ops.cast(mask, ops.dtype(x)), -1)
        number = ops.sum(ops.broadcast_to(counted, x.shape), axes, keepdims=True)
        number = ops.maximum(number, 1)
        mean = ops.divide(
            ops.sum(ops.multiply(x, counted), axes, keepdims=True), number
        )
        squares = ops.multiply(ops.square(ops.subtract(x, mean)), counted)
        variance = ops.divide(ops.sum(squares, axes, keepdims=True), number)
        return ops.squeeze(mean, axes), ops.squeeze(variance, axes)

    def _move(self, average: Any, batch: Tensor) -> None:
        kept = ops.multiply(average.value, self.momentum)
        new = ops.multiply(ops.stop_gradient(batch), 1.0 - self.momentum)
        average.assign(ops.add(kept, ops.cast(new, average.dtype)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "moving_mean_initializer": initializers.serialize(
                self.moving_mean_initializer
            ),
            "moving_variance_initializer": initializers.serialize(
                self.moving_variance_initializer
            ),
            "synchronized": self.synchronized,
        }
