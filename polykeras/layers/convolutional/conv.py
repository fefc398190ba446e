"""`Conv1D`, `Conv2D`, `Conv3D`: learned windows over signals, images, volumes."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import constraints, initializers, ops, regularizers
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers._sizes import known_channels, positive
from polykeras.layers.convolutional._window import WindowLayer
from polykeras.registry import public

__all__ = ["BaseConv", "Conv1D", "Conv2D", "Conv3D"]


class BaseConv(WindowLayer):
    """Slide `filters` windows over the inputs and sum the products.

    Args:
        filters: Number of channels of the outputs.
        kernel_size: Size of the window, one int or one per spatial axis.
        strides: Step of the window.
        padding: ``"valid"`` or ``"same"``; `Conv1D` also takes ``"causal"``, where no
            output depends on later inputs.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        dilation_rate: Distance between the kernel's cells.
        groups: Number of groups that channels and filters are divided into.
        activation: A name or function; None means linear.
        use_bias: Whether a bias is added.
        kernel_initializer: Makes the kernel ``(*window, C / groups, filters)``.
        bias_initializer: Makes the bias ``(filters,)``.
        kernel_regularizer: Adds to the loss.
        bias_regularizer: Adds to the loss.
        activity_regularizer: Adds to the loss.
        kernel_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If an argument is not an allowed value.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
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
        self.groups = positive(cls, "groups", groups)
        if self.filters % self.groups:
            raise ArgumentError(
                f"{cls} needs a number of filters that its groups divide, got "
                f"filters={filters} and groups={groups}."
            )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel and bias for the number of channels."""
        channels = known_channels(self.name, input_shape, self.data_format)
        if channels % self.groups:
            raise ArgumentError(
                f"{type(self).__name__} needs a number of channels that its groups "
                f"divide, got groups={self.groups} and inputs of shape "
                f"{tuple(input_shape)} with {channels} channels."
            )
        self._fix_channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self._add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(B, *windows, filters)``, or channels first."""
        x = ops.conv(
            self._padded(inputs),
            self.kernel,
            strides=self.strides,
            padding="valid" if self.padding == "causal" else self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return self._biased_and_activated(x)

    def _padded(self, inputs: Tensor) -> Tensor:
        if self.padding != "causal":
            return inputs
        before = (self.kernel_size[0] - 1) * self.dilation_rate[0]
        time = (before, 0)
        if self.data_format == "channels_last":
            return ops.pad(inputs, ((0, 0), time, (0, 0)))
        return ops.pad(inputs, ((0, 0), (0, 0), time))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "groups": self.groups,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
        }


@public
class Conv1D(BaseConv):
    """Convolve signals of shape ``(B, T, C)``.

    The arguments are those of `BaseConv`; ``padding="causal"`` keeps outputs from
    depending on later inputs.

    Reference: van den Oord et al., 2016, "WaveNet", section 2.1 (causal, dilated).

    >>> import polykeras as keras
    >>> layer = keras.layers.Conv1D(32, 3, activation="relu")
    >>> layer(keras.ops.ones((4, 10, 128))).shape
    (4, 8, 32)
    """

    _rank: ClassVar[int] = 1
    _paddings: ClassVar[tuple[str, ...]] = ("valid", "same", "causal")


@public
class Conv2D(BaseConv):
    """Convolve images of shape ``(B, H, W, C)``.

    The arguments are those of `BaseConv`.

    >>> import polykeras as keras
    >>> layer = keras.layers.Conv2D(32, 3, activation="relu")
    >>> layer(keras.ops.ones((4, 10, 10, 3))).shape
    (4, 8, 8, 32)
    """

    _rank: ClassVar[int] = 2


@public
class Conv3D(BaseConv):
    """Convolve volumes of shape ``(B, D, H, W, C)``.

    The arguments are those of `BaseConv`.

    >>> import polykeras as keras
    >>> layer = keras.layers.Conv3D(2, 3, activation="relu")
    >>> layer(keras.ops.ones((1, 5, 5, 5, 3))).shape
    (1, 3, 3, 3, 2)
    """

    _rank: ClassVar[int] = 3
