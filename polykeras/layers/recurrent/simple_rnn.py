"""`SimpleRNN`: a fully connected recurrence over sequences."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.layers._input_spec import InputSpec
from polykeras.layers.recurrent._cell_layer import CellLayer
from polykeras.layers.recurrent.simple_rnn_cell import SimpleRNNCell
from polykeras.registry import public

__all__ = ["SimpleRNN"]


@public
class SimpleRNN(CellLayer):
    """Feed the output of each step back into the next one.

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
        activity_regularizer: Adds to the loss.
        kernel_constraint: Applied after updates.
        recurrent_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        dropout: Share of the inputs that is set to 0 in training, the same in all
            steps.
        recurrent_dropout: Share of the state that is set to 0 in training.
        return_sequences: See `RNN`.
        return_state: See `RNN`.
        go_backwards: See `RNN`.
        stateful: See `RNN`.
        unroll: See `RNN`.
        seed: Of the dropout.
        kwargs: See `RNN` and `Layer`.

    Raises:
        ArgumentError: If `units` or a rate is out of range.

    Reference: Elman, 1990, "Finding Structure in Time".

    >>> import polykeras as keras
    >>> keras.layers.SimpleRNN(4, return_sequences=True)(
    ...     keras.ops.ones((2, 5, 3))
    ... ).shape
    (2, 5, 4)
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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Make the cell."""
        cell = SimpleRNNCell(
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
            implementation=kwargs.pop("implementation", 2),
            dtype=kwargs.get("dtype"),
            name="simple_rnn_cell",
        )
        super().__init__(
            cell,
            activity_regularizer=activity_regularizer,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=3)

    def _run_op(
        self,
        sequences: Tensor,
        states: list[Tensor],
        mask: Tensor | None,
        names: list[str],
    ) -> tuple[Tensor, ...]:
        cell = self.cell
        return ops.simple_rnn(
            sequences,
            states[0],
            cell.kernel,
            cell.recurrent_kernel,
            cell.bias,
            activation=names[0],
            mask=mask,
            reverse=self.go_backwards,
        )
