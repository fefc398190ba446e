"""`SeparableConv1D`, `SeparableConv2D`: by channel first, then across channels."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import constraints, initializers, ops, regularizers
from polykeras.backend import Tensor
from polykeras.layers._sizes import positive
from polykeras.layers.convolutional._window import WindowLayer
from polykeras.registry import public

__all__ = ["BaseSeparableConv", "SeparableConv1D", "SeparableConv2D"]


class BaseSeparableConv(WindowLayer):
    """Convolve every channel by itself, then mix the channels at each place.

    Args:
        filters: Number of channels of the outputs.
        kernel_size: Size of the first window, one int or one per spatial axis.
        strides: Step of the first window.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        dilation_rate: Distance between the first kernel's cells.
        depth_multiplier: Number of kernels for each channel.
        activation: A name or function; None means linear.
        use_bias: Whether a bias is added.
        depthwise_initializer: Makes ``(*window, C, depth_multiplier)``.
        pointwise_initializer: Makes ``(1, ..., C * depth_multiplier, filters)``.
        bias_initializer: Makes the bias ``(filters,)``.
        depthwise_regularizer: Adds to the loss.
        pointwise_regularizer: Adds to the loss.
        bias_regularizer: Adds to the loss.
        activity_regularizer: Adds to the loss.
        depthwise_constraint: Applied after updates.
        pointwise_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If an argument is not an allowed value.

    Reference: Chollet, 2017, "Xception: Deep Learning with Depthwise Separable
    Convolutions".
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            bias_constraint=bias_constraint,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        cls = type(self).__name__
        self.filters = positive(cls, "filters", filters)
        self.depth_multiplier = positive(cls, "depth_multiplier", depth_multiplier)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make both kernels and the bias for the number of channels."""
        channels = self._fix_channels(input_shape)
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        mixed = channels * self.depth_multiplier
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(*(1,) * self.rank, mixed, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self._add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(B, *windows, filters)``, or channels first."""
        x = ops.separable_conv(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return self._biased_and_activated(x)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "depth_multiplier": self.depth_multiplier,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "pointwise_initializer": initializers.serialize(self.pointwise_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "pointwise_regularizer": regularizers.serialize(self.pointwise_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
            "pointwise_constraint": constraints.serialize(self.pointwise_constraint),
        }


@public
class SeparableConv1D(BaseSeparableConv):
    """Apply a separable convolution to signals of shape ``(B, T, C)``.

    The arguments are those of `BaseSeparableConv`.

    >>> import polykeras as keras
    >>> layer = keras.layers.SeparableConv1D(3, 4, activation="relu")
    >>> layer(keras.ops.ones((4, 10, 12))).shape
    (4, 7, 3)
    """

    _rank: ClassVar[int] = 1


@public
class SeparableConv2D(BaseSeparableConv):
    """Apply a separable convolution to images of shape ``(B, H, W, C)``.

    The arguments are those of `BaseSeparableConv`.

    >>> import polykeras as keras
    >>> layer = keras.layers.SeparableConv2D(3, 4, activation="relu")
    >>> layer(keras.ops.ones((4, 10, 10, 12))).shape
    (4, 7, 7, 3)
    """

    _rank: ClassVar[int] = 2
