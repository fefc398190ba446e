"""What the cells of recurrent layers have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from polykeras import activations, constraints, initializers, ops, random, regularizers
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers.layer import Layer
from polykeras.layers.recurrent._dropout_masks import DropoutMasks, drawn_masks

__all__ = ["RecurrentCell"]

Shape = tuple[int | None, ...]


class RecurrentCell(Layer):
    """One step of a recurrence whose gates share a kernel, side by side.

    Args:
        units: Size of the state and of the outputs.
        activation: Of the new state.
        recurrent_activation: Of the gates; None for cells without gates.
        use_bias: Whether a bias is added.
        kernel_initializer: Makes the kernel of shape ``(features, gates * units)``.
        recurrent_initializer: Makes the kernel of the state, of shape
            ``(units, gates * units)``.
        bias_initializer: Makes the bias.
        kernel_regularizer: Adds to the loss.
        recurrent_regularizer: Adds to the loss.
        bias_regularizer: Adds to the loss.
        kernel_constraint: Applied after updates.
        recurrent_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        dropout: Share of the inputs that is set to 0 in training.
        recurrent_dropout: Share of the state that is set to 0 in training.
        seed: Of the dropout.
        implementation: With 2, the gates share one dropout mask; with 1, which
            `recurrent_dropout` implies, each gate has a mask of its own.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `units` is not a positive integer, a dropout rate is out of
            range, or `implementation` is neither 1 nor 2.
    """

    gates: ClassVar[int] = 1

    def __init__(
        self,
        units: int,
        *,
        activation: Any,
        recurrent_activation: Any = None,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        super().__init__(**kwargs)
        kind = type(self).__name__
        if not isinstance(units, int) or units <= 0:
            raise ArgumentError(
                f"{kind} needs a positive number of units, got {units!r}."
            )
        for name, rate in (
            ("dropout", dropout),
            ("recurrent_dropout", recurrent_dropout),
        ):
            if not 0 <= rate < 1:
                raise ArgumentError(f"{kind} needs 0 <= {name} < 1, got {rate!r}.")
        if implementation not in (1, 2):
            raise ArgumentError(
                f"{kind} has the implementations 1 and 2, got {implementation!r}."
            )
        self.units = units
        self.activation = activations.get(activation)
        if recurrent_activation is not None:
            self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer or "zeros")
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.implementation = 1 if recurrent_dropout else implementation
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)
        self.state_size: int | list[int] = units
        self.output_size = units

    def build(self, input_shape: Shape) -> None:
        """Make kernels and bias for inputs of shape ``(batch, features)``."""
        width = self.gates * self.units
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], width),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, width),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=self._bias_shape(),
                initializer=self._first_bias(),
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _first_bias(self) -> Callable[..., Any]:
        return self.bias_initializer  # type: ignore[no-any-return]

    def get_initial_state(self, batch_size: int | None = None) -> list[Tensor]:
        """Return zeros of shape ``(batch_size, units)`` for each state."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.units]
        return [ops.zeros((batch_size, n), dtype=self.compute_dtype) for n in sizes]

    def draw_masks(self, input_shape: tuple[int, ...], batch_size: int) -> DropoutMasks:
        """Return new dropout masks.

        Args:
            input_shape: Shape of the inputs of one step, batch included.
            batch_size: First size of the state.

        Returns:
            One mask for all gates, or one for each with implementation 1.
        """
        count = self.gates if self.implementation == 1 else 1

        def draw(shape: tuple[int, ...], rate: float) -> Tensor | None:
            if not rate:
                return None
            ones = ops.ones((count, *shape), dtype=self.compute_dtype)
            return random.dropout(ones, rate, seed=self.seed_generator)

        return DropoutMasks(
            draw(tuple(input_shape), self.dropout),
            draw((batch_size, self.units), self.recurrent_dropout),
        )

    def _masks(self, inputs: Tensor, training: bool | None) -> DropoutMasks:
        if not training or not (self.dropout or self.recurrent_dropout):
            return DropoutMasks(None, None)
        found = drawn_masks(self)
        return found or self.draw_masks(tuple(inputs.shape), inputs.shape[0])

    def _product(self, x: Tensor, kernel: Tensor, masks: Tensor | None) -> Tensor:
        """Return ``x @ kernel``, each gate with its own mask if it has one."""
        if masks is None:
            return ops.matmul(x, kernel)
        if masks.shape[0] == 1:
            return ops.matmul(ops.multiply(x, ops.get_item(masks, 0)), kernel)
        kernels = ops.split(kernel, masks.shape[0], axis=-1)
        return ops.concatenate(
            [
                ops.matmul(ops.multiply(x, mask), part)
                for mask, part in zip(ops.unstack(masks), kernels, strict=True)
            ],
            axis=-1,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        gates = {}
        if hasattr(self, "recurrent_activation"):
            gates["recurrent_activation"] = activations.serialize(
                self.recurrent_activation
            )
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            **gates,
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": initializers.serialize(self.recurrent_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
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
