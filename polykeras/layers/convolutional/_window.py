"""What all convolutions share: windows, data format, bias and activation."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import (
    activations,
    config,
    constraints,
    initializers,
    ops,
    regularizers,
)
from polykeras.backend import Tensor
from polykeras.layers._input_spec import InputSpec
from polykeras.layers._sizes import channel_axis, known_channels, one_of, per_axis
from polykeras.layers.layer import Layer

__all__ = ["WindowLayer"]


class WindowLayer(Layer):
    """A layer that slides a kernel over the inputs and adds a bias.

    Args:
        kernel_size: Size of the window, one int or one per spatial axis.
        strides: Step of the window, likewise.
        padding: A word of `_paddings`.
        data_format: Where the channels are; None means the process-wide default.
        dilation_rate: Distance between the kernel's cells.
        activation: A name or function; None means linear.
        use_bias: Whether a bias is added.
        bias_initializer: Makes the bias, one value a filter.
        bias_regularizer: Adds to the loss.
        bias_constraint: Applied after updates.
        kwargs: See `Layer`.
    """

    _rank: ClassVar[int]
    _paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    def __init__(
        self,
        *,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        bias_regularizer: Any,
        bias_constraint: Any,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        cls, rank = type(self).__name__, self._rank
        self.rank = rank
        self.kernel_size = per_axis(cls, "kernel_size", kernel_size, rank)
        self.strides = per_axis(cls, "strides", strides, rank)
        self.padding = one_of(cls, "padding", padding, self._paddings)
        self.data_format = config.standardize_data_format(data_format)
        self.dilation_rate = per_axis(cls, "dilation_rate", dilation_rate, rank)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=rank + 2)

    def _fix_channels(self, input_shape: tuple[int | None, ...]) -> int:
        """Return the number of channels, and require it from now on."""
        channels = known_channels(self.name, input_shape, self.data_format)
        axis = channel_axis(self.data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _add_bias(self, filters: int) -> None:
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _biased_and_activated(self, x: Tensor) -> Tensor:
        if self.bias is not None:
            bias = self.bias
            if self.data_format == "channels_first":
                bias = ops.reshape(bias, (1, -1, *(1,) * self.rank))
            x = ops.add(x, bias)
        return self.activation(x)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
        }
