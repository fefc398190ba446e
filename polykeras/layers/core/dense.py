"""`Dense`: an affine map of the last axis and an activation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from polykeras import activations, constraints, initializers, ops, regularizers
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers._input_spec import InputSpec
from polykeras.layers.layer import Layer
from polykeras.registry import public

__all__ = ["Dense"]


@public
class Dense(Layer):
    """Compute ``activation(inputs @ kernel + bias)``.

    Args:
        units: Size of the last axis of the outputs.
        activation: A name or function; None means linear.
        use_bias: Whether a bias is added.
        kernel_initializer: Makes the kernel of shape ``(features, units)``.
        bias_initializer: Makes the bias of shape ``(units,)``.
        kernel_regularizer: Adds to the loss.
        bias_regularizer: Adds to the loss.
        activity_regularizer: Adds to the loss.
        kernel_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `units` is not a positive integer.

    >>> import polykeras as keras
    >>> keras.layers.Dense(4, activation="relu")(keras.ops.ones((2, 3))).shape
    (2, 4)
    """

    _keras_only: ClassVar[Mapping[str, Any]] = {"quantization_config": None}

    def __init__(
        self,
        units: int,
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
        """Remember the configuration."""
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not isinstance(units, int) or units <= 0:
            raise ArgumentError(
                f"Dense needs a positive number of units, got {units!r}."
            )
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel and bias for the size of the last axis."""
        features = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Return a tensor of shape ``inputs.shape[:-1] + (units,)``."""
        x = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            x = ops.add(x, self.bias)
        return self.activation(x)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }
