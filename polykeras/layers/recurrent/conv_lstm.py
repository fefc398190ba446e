"""`ConvLSTM1D`, `ConvLSTM2D`, `ConvLSTM3D`: recurrence over sequences of images."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras import ops, regularizers
from polykeras.backend import Tensor
from polykeras.layers._input_spec import InputSpec
from polykeras.layers.recurrent._cell_layer import of_cell
from polykeras.layers.recurrent.conv_lstm_cell import ConvLSTMCell
from polykeras.layers.recurrent.rnn import RNN
from polykeras.registry import public

__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]


class ConvLSTM(RNN):
    """An LSTM whose inputs and states are images and whose products are convolutions.

    Args:
        filters: Channels of the outputs.
        kernel_size: Size of the window, one int or one for each spatial axis.
        strides: Step of the window over the inputs.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.
        dilation_rate: Distance between the cells of the input kernel.
        activation: Of the candidate and of the cell state.
        recurrent_activation: Of the gates.
        use_bias: Whether a bias is added.
        kernel_initializer: Makes the kernel ``(*window, C, 4 * filters)``.
        recurrent_initializer: Makes the kernel of the state.
        bias_initializer: Makes the bias.
        unit_forget_bias: Whether the bias of the forget gate begins at 1.
        kernel_regularizer: Adds to the loss.
        recurrent_regularizer: Adds to the loss.
        bias_regularizer: Adds to the loss.
        activity_regularizer: Adds to the loss.
        kernel_constraint: Applied after updates.
        recurrent_constraint: Applied after updates.
        bias_constraint: Applied after updates.
        dropout: Share of the inputs that is set to 0 in training.
        recurrent_dropout: Share of the hidden state that is set to 0 in training.
        seed: Of the dropout.
        return_sequences: Whether to return the outputs of all steps.
        return_state: Whether to return the last states, too.
        go_backwards: Whether to begin at the end.
        stateful: Whether states are kept from batch to batch.
        kwargs: See `RNN` and `Layer`.

    Reference: Shi et al., 2015, "Convolutional LSTM Network: A Machine Learning
    Approach for Precipitation Nowcasting".
    """

    _rank: ClassVar[int]

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ) -> None:
        """Make the cell."""
        shared = {k: kwargs[k] for k in ("dtype", "trainable") if k in kwargs}
        cell = ConvLSTMCell(
            self._rank,
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **shared,
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=self._rank + 3)

    filters = of_cell("filters")
    kernel_size = of_cell("kernel_size")
    strides = of_cell("strides")
    padding = of_cell("padding")
    data_format = of_cell("data_format")
    dilation_rate = of_cell("dilation_rate")
    activation = of_cell("activation")
    recurrent_activation = of_cell("recurrent_activation")
    use_bias = of_cell("use_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    unit_forget_bias = of_cell("unit_forget_bias")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
    seed = of_cell("seed")

    def get_initial_state(self, batch_size: int | None) -> list[Any]:
        """Return zeros in the shape of each state, once the layer is built."""
        shape = self.cell.state_shape((batch_size, *self._step_shape))
        return [ops.zeros(shape, dtype=self.cell.compute_dtype) for _ in range(2)]

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build the cell, and the kept states of a stateful layer."""
        self._step_shape = tuple(sequences_shape[2:])
        super().build(sequences_shape, initial_state_shape)

    def _states_to_begin(self, sequences: Tensor, given: Any) -> list[Any]:
        # Images of another size than those the layer was built for have others.
        self._step_shape = tuple(sequences.shape[2:])
        return super()._states_to_begin(sequences, given)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"cell", "unroll", "zero_output_for_mask"}
        config = {k: v for k, v in super().get_config().items() if k not in own}
        shared = {"name", "trainable", "dtype"}
        cell = {k: v for k, v in self.cell.get_config().items() if k not in shared}
        regularizer = regularizers.serialize(self.activity_regularizer)
        return {**config, **cell, "activity_regularizer": regularizer}


@public
class ConvLSTM1D(ConvLSTM):
    """Go through sequences of signals ``(B, T, W, C)``.

    The arguments are those of `ConvLSTM`.

    >>> import polykeras as keras
    >>> layer = keras.layers.ConvLSTM1D(4, 3, padding="same")
    >>> layer(keras.ops.ones((2, 5, 8, 3))).shape
    (2, 8, 4)
    """

    _rank: ClassVar[int] = 1


@public
class ConvLSTM2D(ConvLSTM):
    """Go through sequences of images ``(B, T, H, W, C)``.

    The arguments are those of `ConvLSTM`.

    >>> import polykeras as keras
    >>> layer = keras.layers.ConvLSTM2D(4, 3, return_sequences=True)
    >>> layer(keras.ops.ones((2, 5, 8, 8, 3))).shape
    (2, 5, 6, 6, 4)
    """

    _rank: ClassVar[int] = 2


@public
class ConvLSTM3D(ConvLSTM):
    """Go through sequences of volumes ``(B, T, D, H, W, C)``.

    The arguments are those of `ConvLSTM`.

    >>> import polykeras as keras
    >>> layer = keras.layers.ConvLSTM3D(2, 2)
    >>> layer(keras.ops.ones((1, 3, 4, 4, 4, 1))).shape
    (1, 3, 3, 3, 2)
    """

    _rank: ClassVar[int] = 3
