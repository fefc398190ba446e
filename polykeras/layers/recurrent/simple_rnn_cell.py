"""`SimpleRNNCell`: one step of a fully connected recurrence."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers.recurrent._cell import RecurrentCell
from polykeras.registry import public

__all__ = ["SimpleRNNCell"]


@public
class SimpleRNNCell(RecurrentCell):
    """Compute ``activation(inputs @ kernel + state @ recurrent_kernel + bias)``.

    Args:
        units: Size of the state and of the outputs.
        activation: A name or function; None means linear.
        use_bias: Whether a bias is added.
        kernel_initializer: Makes the kernel of shape ``(features, units)``.
        recurrent_initializer: Makes the kernel of shape ``(units, units)``.
        bias_initializer: Makes the bias of shape ``(units,)``.
        kernel_regularizer: Adds to the loss.
        recurrent_regularizer: Adds to the loss.
        bias_regularizer: Adds to the loss.
        kernel_constraint: Applied after updates.
        recurrent_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        dropout: Share of the inputs that is set to 0 in training.
        recurrent_dropout: Share of the state that is set to 0 in training.
        seed: Of the dropout.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `units` or a rate is out of range.

    Reference: Elman, 1990, "Finding Structure in Time".

    >>> import polykeras as keras
    >>> cell = keras.layers.SimpleRNNCell(4)
    >>> y, states = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
    >>> y.shape, len(states)
    ((2, 4), 1)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
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
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        super().__init__(
            units,
            activation=activation,
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
        z = ops.add(
            self._product(inputs, self.kernel, masks.inputs),
            self._product(h, self.recurrent_kernel, masks.state),
        )
        if self.bias is not None:
            z = ops.add(z, self.bias)
        h = self.activation(z)
        return h, [h] if nested else h
