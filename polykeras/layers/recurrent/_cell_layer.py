"""Recurrent layers around one of our own cells."""

from __future__ import annotations

from typing import Any, Final

from polykeras import activations, ops, regularizers
from polykeras.backend import Tensor
from polykeras.layers.recurrent._cell import RecurrentCell
from polykeras.layers.recurrent.rnn import RNN, Steps

__all__ = ["CellLayer", "of_cell"]

# The activations that the ops for whole sequences know.
_NATIVE: Final = {
    activations.tanh: "tanh",
    activations.sigmoid: "sigmoid",
    activations.relu: "relu",
    activations.hard_sigmoid: "hard_sigmoid",
    activations.linear: "linear",
}
_SEQUENCE_AXES: Final = 3


def of_cell(name: str) -> Any:
    """Return a property that reads an attribute of the layer's cell."""

    def get(self: CellLayer) -> Any:
        return getattr(self.cell, name)

    get.__doc__ = f"The cell's `{name}`."
    return property(get)


class CellLayer(RNN):
    """A recurrent layer that makes its cell and knows an op for whole sequences.

    Args:
        cell: A cell of ours.
        activity_regularizer: Adds to the loss.
        kwargs: See `RNN` and `Layer`.
    """

    cell: RecurrentCell
    # Whether whole sequences may go through one op; the results are the same.
    _whole_sequences = True

    def __init__(
        self, cell: RecurrentCell, *, activity_regularizer: Any = None, **kwargs: Any
    ) -> None:
        """Remember the cell."""
        super().__init__(cell, activity_regularizer=activity_regularizer, **kwargs)

    units = of_cell("units")
    activation = of_cell("activation")
    use_bias = of_cell("use_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
    seed = of_cell("seed")
    implementation = of_cell("implementation")

    def _run_op(
        self,
        sequences: Tensor,
        states: list[Tensor],
        mask: Tensor | None,
        names: list[str],
    ) -> tuple[Tensor, ...]:
        """Return the outputs of all steps and each last state, by one op."""
        raise NotImplementedError

    def _go_through(
        self,
        sequences: Tensor,
        states: list[Any],
        mask: Tensor | None,
        training: bool | None,
    ) -> Steps:
        cell = self.cell
        functions = [cell.activation, getattr(cell, "recurrent_activation", None)]
        names = [_NATIVE.get(f, "") for f in functions if f is not None]
        inputs_dropped = bool(training) and cell.dropout > 0
        if (
            not self._whole_sequences
            or len(sequences.shape) != _SEQUENCE_AXES
            or "" in names
            or (training and cell.recurrent_dropout)
            or (inputs_dropped and cell.implementation == 1)
        ):
            return super()._go_through(sequences, states, mask, training)
        if inputs_dropped:
            batch, _, features = sequences.shape
            drawn = cell.draw_masks((batch, features), batch).inputs
            sequences = ops.multiply(sequences, ops.swapaxes(drawn, 0, 1))
        outputs, *last = self._run_op(sequences, states, mask, names)
        if mask is None:
            # The last hidden state is the last output.
            return Steps(last[0], outputs, last)
        if self.zero_output_for_mask:
            kept = ops.flip(mask, axis=1) if self.go_backwards else mask
            outputs = ops.where(ops.expand_dims(kept, -1), outputs, 0)
        return Steps(ops.get_item(outputs, (slice(None), -1)), outputs, last)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = {k: v for k, v in super().get_config().items() if k != "cell"}
        shared = {"name", "trainable", "dtype"}
        cell = {k: v for k, v in self.cell.get_config().items() if k not in shared}
        regularizer = regularizers.serialize(self.activity_regularizer)
        return {**config, **cell, "activity_regularizer": regularizer}
