"""`DepthwiseConv1D`, `DepthwiseConv2D`: kernels of its own for every channel."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import constraints, initializers, ops, regularizers
from polykeras.backend import Tensor
from polykeras.layers._sizes import positive
from polykeras.layers.convolutional._window import WindowLayer
from polykeras.registry import public

__all__ = ["BaseDepthwiseConv", "DepthwiseConv1D", "DepthwiseConv2D"]


class BaseDepthwiseConv(WindowLayer):
    """Convolve every channel with kernels of its own.

    Args:
        kernel_size: Size of the window, one int or one per spatial axis.
        strides: Step of the window.
        padding: ``"valid"`` or ``"same"``.
        depth_multiplier: Number of kernels, and so of outputs, for each channel.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        dilation_rate: Distance between the kernel's cells.
        activation: A name or function; None means linear.
        use_bias: Whether a bias is added.
        depthwise_initializer: Makes the kernel ``(*window, C, depth_multiplier)``.
        bias_initializer: Makes the bias ``(C * depth_multiplier,)``.
        depthwise_regularizer: Adds to the loss.
        bias_regularizer: Adds to the loss.
        activity_regularizer: Adds to the loss.
        depthwise_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If an argument is not an allowed value.
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
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
        self.depth_multiplier = positive(
            type(self).__name__, "depth_multiplier", depth_multiplier
        )
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel and bias for the number of channels."""
        channels = self._fix_channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(B, *windows, C * depth_multiplier)``, or channels first."""
        x = ops.depthwise_conv(
            inputs,
            self.kernel,
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
            "depth_multiplier": self.depth_multiplier,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
        }


@public
class DepthwiseConv1D(BaseDepthwiseConv):
    """Convolve every channel of signals of shape ``(B, T, C)`` by itself.

    The arguments are those of `BaseDepthwiseConv`.

    >>> import polykeras as keras
    >>> layer = keras.layers.DepthwiseConv1D(3, depth_multiplier=2)
    >>> layer(keras.ops.ones((4, 10, 12))).shape
    (4, 8, 24)
    """

    _rank: ClassVar[int] = 1


@public
class DepthwiseConv2D(BaseDepthwiseConv):
    """Convolve every channel of images of shape ``(B, H, W, C)`` by itself.

    The arguments are those of `BaseDepthwiseConv`.

    Reference: Howard et al., 2017, "MobileNets", section 3.1.

    >>> import polykeras as keras
    >>> layer = keras.layers.DepthwiseConv2D(3, activation="relu")
    >>> layer(keras.ops.ones((4, 10, 10, 12))).shape
    (4, 8, 8, 12)
    """

    _rank: ClassVar[int] = 2
