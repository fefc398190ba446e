"""`LSTMCell`: one step of a long short-term memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polykeras import ops
from polykeras.backend import Array, Tensor
from polykeras.initializers import Ones
from polykeras.layers.recurrent._cell import RecurrentCell
from polykeras.registry import public

__all__ = ["LSTMCell"]


@public
class LSTMCell(RecurrentCell):
    """Update a hidden and a cell state through input, forget and output gates.

    The parts of kernels and bias lie side by side in the order input gate, forget
    gate, candidate, output gate.

    Args:
        units: Size of both states and of the outputs.
        activation: Of the candidate and of the cell state.
        recurrent_activation: Of the gates.
        use_bias: Whether a bias is added.
        kernel_initializer: Makes the kernel of shape ``(features, 4 * units)``.
        recurrent_initializer: Makes the kernel of shape ``(units, 4 * units)``.
        bias_initializer: Makes the bias of shape ``(4 * units,)``.
        unit_forget_bias: Whether the bias of the forget gate begins at 1.
        kernel_regularizer: Adds to the loss.
        recurrent_regularizer: Adds to the loss.
        bias_regularizer: Adds to the loss.
        kernel_constraint: Applied after updates.
        recurrent_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        dropout: Share of the inputs that is set to 0 in training.
        recurrent_dropout: Share of the hidden state that is set to 0 in training.
        seed: Of the dropout.
        kwargs: See `Layer`; `implementation` 1 gives every gate a dropout mask of
            its own.

    Raises:
        ArgumentError: If `units` or a rate is out of range.

    Reference: Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory"; Jozefowicz
    et al., 2015, "An Empirical Exploration of Recurrent Network Architectures" (the
    bias of the forget gate).

    >>> import polykeras as keras
    >>> cell = keras.layers.LSTMCell(4)
    >>> y, (h, c) = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
    >>> y.shape, c.shape
    ((2, 4), (2, 4))
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
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
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [units, units]

    def _first_bias(self) -> Callable[..., Any]:
        if not self.unit_forget_bias:
            return super()._first_bias()

        def with_open_forget_gate(shape: Any, dtype: Any = None) -> Array:
            before = self.bias_initializer((self.units,), dtype=dtype)
            ones = Ones()((self.units,), dtype=dtype)
            after = self.bias_initializer((2 * self.units,), dtype=dtype)
            # On the host, since engines may compile a program for each shape.
            return np.concatenate(
                [ops.convert_to_numpy(x) for x in (before, ones, after)]
            )

        return with_open_forget_gate

    def call(
        self, inputs: Tensor, states: Any, training: bool | None = False
    ) -> tuple[Tensor, list[Tensor]]:
        """Take one step.

        Args:
            inputs: ``(batch, features)``.
            states: Hidden and cell state, each ``(batch, units)``.
            training: Whether dropout is active.

        Returns:
            The outputs ``(batch, units)``, and a list of the new states.
        """
        h, c = states
        masks = self._masks(inputs, training)
        z = ops.add(
            self._product(inputs, self.kernel, masks.inputs),
            self._product(h, self.recurrent_kernel, masks.state),
        )
        if self.bias is not None:
            z = ops.add(z, self.bias)
        i, f, g, o = ops.split(z, 4, axis=-1)
        gate = self.recurrent_activation
        kept = ops.multiply(gate(f), c)
        c = ops.add(kept, ops.multiply(gate(i), self.activation(g)))
        h = ops.multiply(gate(o), self.activation(c))
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}
