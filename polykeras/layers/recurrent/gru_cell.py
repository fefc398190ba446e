"""`GRUCell`: one step of a gated recurrent unit."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.recurrent._cell import RecurrentCell
from polykeras.registry import public

__all__ = ["GRUCell"]


@public
class GRUCell(RecurrentCell):
    """Mix the state with a candidate through an update and a reset gate.

    The parts of kernels and bias lie side by side in the order update gate, reset
    gate, candidate.

    Args:
        units: Size of the state and of the outputs.
        activation: Of the candidate.
        recurrent_activation: Of the gates.
        use_bias: Whether a bias is added.
        kernel_initializer: Makes the kernel of shape ``(features, 3 * units)``.
        recurrent_initializer: Makes the kernel of shape ``(units, 3 * units)``.
        bias_initializer: Makes the bias of shape ``(2, 3 * units)``, for inputs and
            state, or ``(3 * units,)`` without `reset_after`.
        kernel_regularizer: Adds to the loss.
        recurrent_regularizer: Adds to the loss.
        bias_regularizer: Adds to the loss.
        kernel_constraint: Applied after updates.
        recurrent_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        dropout: Share of the inputs that is set to 0 in training.
        recurrent_dropout: Share of the state that is set to 0 in training.
        reset_after: Whether the reset gate acts after the matrix product, as native
            kernels have it, or before, as in the first version of the paper.
        seed: Of the dropout.
        kwargs: See `Layer`; `implementation` 1 gives every gate a dropout mask of
            its own.

    Raises:
        ArgumentError: If `units` or a rate is out of range.

    Reference: Cho et al., 2014, "Learning Phrase Representations using RNN
    Encoder-Decoder for Statistical Machine Translation", equations 5 to 8.

    >>> import polykeras as keras
    >>> cell = keras.layers.GRUCell(4)
    >>> y, states = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
    >>> y.shape, len(states)
    ((2, 4), 1)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        super().__init__(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation or "linear",
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **kwargs,
        )
        self.reset_after = reset_after

    def _bias_shape(self) -> tuple[int, ...]:
        width = 3 * self.units
        return (2, width) if self.reset_after else (width,)

    def call(
        self, inputs: Tensor, states: Any, training: bool | None = False
    ) -> tuple[Tensor, Any]:
        """Take one step.

        Args:
            inputs: ``(batch, features)``.
            states: ``(batch, units)``, or a list that holds it.
            training: Whether dropout is active.

        Returns:
            The outputs ``(batch, units)``, and the new state, in a list if it came
            in one.
        """
        nested = isinstance(states, list | tuple)
        h = states[0] if nested else states
        masks = self._masks(inputs, training)
        x = self._product(inputs, self.kernel, masks.inputs)
        if self.bias is not None:
            bias = ops.get_item(self.bias, 0) if self.reset_after else self.bias
            x = ops.add(x, bias)
        x_update, x_reset, x_new = ops.split(x, 3, axis=-1)
        step = self._reset_after if self.reset_after else self._reset_before
        update, new = step(h, x_update, x_reset, x_new, masks.state)
        h = ops.add(new, ops.multiply(update, ops.subtract(h, new)))
        return h, [h] if nested else h

    def _reset_after(
        self,
        h: Tensor,
        update: Tensor,
        reset: Tensor,
        new: Tensor,
        masks: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Return the update gate and the candidate."""
        inner = self._product(h, self.recurrent_kernel, masks)
        if self.bias is not None:
            inner = ops.add(inner, ops.get_item(self.bias, 1))
        h_update, h_reset, h_new = ops.split(inner, 3, axis=-1)
        gate = self.recurrent_activation
        kept = ops.multiply(gate(ops.add(reset, h_reset)), h_new)
        return gate(ops.add(update, h_update)), self.activation(ops.add(new, kept))

    def _reset_before(
        self,
        h: Tensor,
        update: Tensor,
        reset: Tensor,
        new: Tensor,
        masks: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Return the update gate and the candidate."""
        gates = ops.get_item(self.recurrent_kernel, (Ellipsis, slice(2 * self.units)))
        last = ops.get_item(
            self.recurrent_kernel, (Ellipsis, slice(2 * self.units, None))
        )
        gate_masks = None if masks is None else ops.get_item(masks, slice(2))
        inner = self._product(h, gates, gate_masks)
        h_update, h_reset = ops.split(inner, 2, axis=-1)
        gate = self.recurrent_activation
        kept = h if masks is None else ops.multiply(h, ops.get_item(masks, 2))
        kept = ops.multiply(gate(ops.add(reset, h_reset)), kept)
        candidate = ops.add(new, ops.matmul(kept, last))
        return gate(ops.add(update, h_update)), self.activation(candidate)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "reset_after": self.reset_after}
