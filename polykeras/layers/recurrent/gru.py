"""`GRU`: a gated recurrent unit over sequences."""

from __future__ import annotations

from typing import Any

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers._input_spec import InputSpec
from polykeras.layers.recurrent._cell_layer import CellLayer, of_cell
from polykeras.layers.recurrent.gru_cell import GRUCell
from polykeras.registry import public

__all__ = ["GRU"]


@public
class GRU(CellLayer):
    """Carry a state through sequences, guarded by an update and a reset gate.

    Args:
        units: Size of the state and of the outputs.
        activation: Of the candidate.
        recurrent_activation: Of the gates.
        use_bias: Whether a bias is added.
        kernel_initializer: Makes the kernel of shape ``(features, 3 * units)``.
        recurrent_initializer: Makes the kernel of shape ``(units, 3 * units)``.
        bias_initializer: Makes the bias of shape ``(2, 3 * units)``, or
            ``(3 * units,)`` without `reset_after`.
        kernel_regularizer: Adds to the loss.
        recurrent_regularizer: Adds to the loss.
        bias_regularizer: Adds to the loss.
        activity_regularizer: Adds to the loss.
        kernel_constraint: Applied after updates.
        recurrent_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        dropout: Share of the inputs that is set to 0 in training, the same in all
            steps.
        recurrent_dropout: Share of the state that is set to 0 in training; then
            the layer goes step by step, which is slower.
        seed: Of the dropout.
        return_sequences: See `RNN`.
        return_state: See `RNN`.
        go_backwards: See `RNN`.
        stateful: See `RNN`.
        unroll: See `RNN`.
        reset_after: Whether the reset gate acts after the matrix product.
        use_cudnn: False steps the cell through time one by one; otherwise a backend
            uses the fastest way it has. The results are the same.
        kwargs: See `RNN` and `Layer`.

    Raises:
        ArgumentError: If `units` or a rate is out of range, or `use_cudnn` is neither
            ``"auto"`` nor a bool.

    Reference: Cho et al., 2014, "Learning Phrase Representations using RNN
    Encoder-Decoder for Statistical Machine Translation".

    >>> import polykeras as keras
    >>> gru = keras.layers.GRU(4, return_sequences=True, return_state=True)
    >>> y, h = gru(keras.ops.ones((2, 5, 3)))
    >>> y.shape, h.shape
    ((2, 5, 4), (2, 4))
    """

    cell: GRUCell

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
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        """Make the cell."""
        if use_cudnn not in ("auto", True, False):
            raise ArgumentError(
                f"GRU has use_cudnn='auto', True or False, got {use_cudnn!r}."
            )
        cell = GRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
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
            reset_after=reset_after,
            seed=seed,
            implementation=kwargs.pop("implementation", 2),
            dtype=kwargs.get("dtype"),
            name="gru_cell",
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
        self.use_cudnn = use_cudnn

    recurrent_activation = of_cell("recurrent_activation")
    reset_after = of_cell("reset_after")

    @property
    def _whole_sequences(self) -> bool:  # type: ignore[override]
        return self.use_cudnn is not False

    def _run_op(
        self,
        sequences: Tensor,
        states: list[Tensor],
        mask: Tensor | None,
        names: list[str],
    ) -> tuple[Tensor, ...]:
        cell = self.cell
        return ops.gru(
            sequences,
            states[0],
            cell.kernel,
            cell.recurrent_kernel,
            cell.bias,
            activation=names[0],
            recurrent_activation=names[1],
            mask=mask,
            reverse=self.go_backwards,
            reset_after=cell.reset_after,
        )
