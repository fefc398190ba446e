"""`ConvLSTMCell`: one step of an LSTM whose products are convolutions."""

from __future__ import annotations

from typing import Any

from polykeras import (
    activations,
    config,
    constraints,
    initializers,
    ops,
    random,
    regularizers,
)
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers._sizes import known_channels, one_of, per_axis, positive
from polykeras.layers.layer import Layer
from polykeras.layers.recurrent._dropout_masks import DropoutMasks, drawn_masks

__all__ = ["ConvLSTMCell"]

Shape = tuple[int | None, ...]


class ConvLSTMCell(Layer):
    """Update a hidden and a cell state, both images, through convolved gates.

    Args:
        rank: Number of spatial axes.
        filters: Channels of both states and of the outputs.
        kernel_size: Size of the window; strides, padding, data_format, dilation_rate:
            of the convolution of the inputs. States are convolved with step 1.
        options: The remaining arguments of `ConvLSTM2D`, by name.

    Raises:
        ArgumentError: If an argument is not among those allowed.

    Reference: Shi et al., 2015, "Convolutional LSTM Network: A Machine Learning
    Approach for Precipitation Nowcasting" (without peepholes).
    """

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        *,
        activation: Any,
        recurrent_activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        unit_forget_bias: bool,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        """Check and remember the configuration."""
        super().__init__(**kwargs)
        cls = f"ConvLSTM{rank}D"
        self.rank = rank
        self.filters = positive(cls, "filters", filters)
        self.kernel_size = per_axis(cls, "kernel_size", kernel_size, rank)
        self.strides = per_axis(cls, "strides", strides, rank)
        self.padding = one_of(cls, "padding", padding, ("valid", "same"))
        self.data_format = config.standardize_data_format(data_format)
        self.dilation_rate = per_axis(cls, "dilation_rate", dilation_rate, rank)
        for name, rate in (
            ("dropout", dropout),
            ("recurrent_dropout", recurrent_dropout),
        ):
            if not 0 <= rate < 1:
                raise ArgumentError(f"{cls} needs 0 <= {name} < 1, got {rate!r}.")
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer or "zeros")
        self.unit_forget_bias = unit_forget_bias
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)
        self.state_size = [self.filters, self.filters]

    def build(self, input_shape: Shape) -> None:
        """Make kernels and bias for inputs of shape ``(B, *space, C)``."""
        channels = known_channels(self.name, input_shape, self.data_format)
        width = 4 * self.filters
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, width),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(*self.kernel_size, self.filters, width),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(width,),
                initializer=self._first_bias,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _first_bias(self, shape: Any, dtype: Any = None) -> Tensor:
        if not self.unit_forget_bias:
            first: Tensor = self.bias_initializer(shape, dtype=dtype)
            return first
        before = self.bias_initializer((self.filters,), dtype=dtype)
        after = self.bias_initializer((2 * self.filters,), dtype=dtype)
        ones = ops.ones((self.filters,), dtype=dtype)
        return ops.concatenate([before, ones, after], axis=0)

    def state_shape(self, input_shape: Shape) -> tuple[Any, ...]:
        """Return the shape of the states for inputs of a step of some shape."""
        last = self.data_format == "channels_last"
        space = input_shape[1:-1] if last else input_shape[2:]
        sizes = [
            _windows(n, k, s, d, self.padding)
            for n, k, s, d in zip(
                space, self.kernel_size, self.strides, self.dilation_rate, strict=True
            )
        ]
        if last:
            return (input_shape[0], *sizes, self.filters)
        return (input_shape[0], self.filters, *sizes)

    def draw_masks(self, input_shape: tuple[int, ...], batch_size: int) -> DropoutMasks:
        """Return new dropout masks for the steps of a sequence."""

        def draw(shape: tuple[int, ...], rate: float) -> Tensor | None:
            if not rate:
                return None
            ones = ops.ones(shape, dtype=self.compute_dtype)
            return random.dropout(ones, rate, seed=self.seed_generator)

        return DropoutMasks(
            draw(tuple(input_shape), self.dropout),
            draw(self.state_shape(input_shape), self.recurrent_dropout),
        )

    def call(
        self, inputs: Tensor, states: Any, training: bool | None = False
    ) -> tuple[Tensor, list[Tensor]]:
        """Take one step.

        Args:
            inputs: ``(B, *space, C)``, or channels first.
            states: Hidden and cell state, each ``(B, *windows, filters)``.
            training: Whether dropout is active.

        Returns:
            The outputs, and a list of the new states.
        """
        h, c = states
        x, before = inputs, h
        if training and (self.dropout or self.recurrent_dropout):
            shape = tuple(inputs.shape)
            masks = drawn_masks(self) or self.draw_masks(shape, shape[0])
            if masks.inputs is not None:
                x = ops.multiply(x, masks.inputs)
            if masks.state is not None:
                before = ops.multiply(before, masks.state)
        z = ops.conv(
            x,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        kept = ops.conv(
            before, self.recurrent_kernel, padding="same", data_format=self.data_format
        )
        z = ops.add(z, kept)
        axis = -1 if self.data_format == "channels_last" else 1
        if self.bias is not None:
            bias = self.bias.value
            if axis == 1:
                bias = ops.reshape(bias, (1, -1, *(1,) * self.rank))
            z = ops.add(z, bias)
        i, f, g, o = ops.split(z, 4, axis=axis)
        gate = self.recurrent_activation
        c = ops.add(ops.multiply(gate(f), c), ops.multiply(gate(i), self.activation(g)))
        h = ops.multiply(gate(o), self.activation(c))
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments but the rank."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": initializers.serialize(self.recurrent_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "unit_forget_bias": self.unit_forget_bias,
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "recurrent_constraint": constraints.serialize(self.recurrent_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }


def _windows(
    size: int | None, kernel: int, stride: int, dilation: int, padding: str
) -> int | None:
    if size is None:
        return None
    if padding == "same":
        return -(-size // stride)
    return (size - dilation * (kernel - 1) - 1) // stride + 1
