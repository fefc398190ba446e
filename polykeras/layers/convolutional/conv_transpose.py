"""`Conv1DTranspose` and its kin: the adjoints of convolutions."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import constraints, initializers, ops, regularizers
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers._sizes import per_axis, positive
from polykeras.layers.convolutional._window import WindowLayer
from polykeras.registry import public

__all__ = [
    "BaseConvTranspose",
    "Conv1DTranspose",
    "Conv2DTranspose",
    "Conv3DTranspose",
]


class BaseConvTranspose(WindowLayer):
    """Spread a kernel, weighted by each cell of the inputs, over a larger grid.

    Args:
        filters: Number of channels of the outputs.
        kernel_size: Size of the window, one int or one per spatial axis.
        strides: Distance between the places where neighbouring cells go.
        padding: ``"valid"``, or ``"same"`` for ``size * stride`` cells.
        output_padding: Cells added at the end of each axis, less than the stride;
            None chooses them.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        dilation_rate: Distance between the kernel's cells.
        activation: A name or function; None means linear.
        use_bias: Whether a bias is added.
        kernel_initializer: Makes the kernel ``(*window, filters, C)``.
        bias_initializer: Makes the bias ``(filters,)``.
        kernel_regularizer: Adds to the loss.
        bias_regularizer: Adds to the loss.
        activity_regularizer: Adds to the loss.
        kernel_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If an argument is not an allowed value.

    Reference: Zeiler et al., 2010, "Deconvolutional Networks".
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        self.output_padding = None
        if output_padding is not None:
            extra = per_axis(cls, "output_padding", output_padding, self.rank, least=0)
            if any(n >= s for n, s in zip(extra, self.strides, strict=True)):
                raise ArgumentError(
                    f"{cls} needs an output_padding less than the strides, got "
                    f"output_padding={output_padding} and strides={strides}."
                )
            self.output_padding = extra
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel and bias for the number of channels."""
        channels = self._fix_channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, self.filters, channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self._add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(B, *sizes, filters)``, or channels first."""
        x = ops.conv_transpose(
            inputs,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return self._biased_and_activated(x)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "output_padding": self.output_padding,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
        }


@public
class Conv1DTranspose(BaseConvTranspose):
    """Apply a transposed convolution to signals of shape ``(B, T, C)``.

    The arguments are those of `BaseConvTranspose`.

    >>> import polykeras as keras
    >>> layer = keras.layers.Conv1DTranspose(32, 2, strides=2)
    >>> layer(keras.ops.ones((4, 10, 8))).shape
    (4, 20, 32)
    """

    _rank: ClassVar[int] = 1


@public
class Conv2DTranspose(BaseConvTranspose):
    """Apply a transposed convolution to images of shape ``(B, H, W, C)``.

    The arguments are those of `BaseConvTranspose`.

    >>> import polykeras as keras
    >>> layer = keras.layers.Conv2DTranspose(32, 3, strides=2, padding="same")
    >>> layer(keras.ops.ones((4, 10, 8, 3))).shape
    (4, 20, 16, 32)
    """

    _rank: ClassVar[int] = 2


@public
class Conv3DTranspose(BaseConvTranspose):
    """Apply a transposed convolution to volumes of shape ``(B, D, H, W, C)``.

    The arguments are those of `BaseConvTranspose`, but `data_format` comes before
    `output_padding`.

    >>> import polykeras as keras
    >>> layer = keras.layers.Conv3DTranspose(2, 2, strides=2)
    >>> layer(keras.ops.ones((1, 2, 3, 4, 3))).shape
    (1, 4, 6, 8, 2)
    """

    _rank: ClassVar[int] = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = 1,
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
            filters,
            kernel_size,
            strides,
            padding,
            output_padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
