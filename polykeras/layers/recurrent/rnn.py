"""`RNN`: a cell applied step by step along a sequence."""

from __future__ import annotations

from typing import Any, NamedTuple

from polykeras import ops, tree
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers.layer import Layer
from polykeras.layers.recurrent._cells import (
    check_cell,
    first_state,
    output_size,
    takes_training,
)
from polykeras.layers.recurrent._dropout_masks import DropoutMasks, keeping_masks
from polykeras.layers.recurrent._stepping import step_through
from polykeras.layers.recurrent.stacked_rnn_cells import StackedRNNCells
from polykeras.registry import CustomObjectScope, public, serialize_keras_object
from polykeras.symbolic import KerasTensor
from polykeras.variables import Variable, autocast_scope, name_scope

__all__ = ["RNN", "Steps"]

Shape = tuple[int | None, ...]


class Steps(NamedTuple):
    """What going through a sequence gives.

    Args:
        last: The output of the last step, ``(batch, units)``.
        outputs: The outputs of all steps, ``(batch, time, units)``.
        states: The states after the last step.
    """

    last: Tensor
    outputs: Tensor
    states: list[Any]


class _KeptStates:
    """States that a stateful layer keeps between calls; not among its weights."""

    def __init__(self, structure: list[Any] | None = None) -> None:
        self.structure = structure

    def variables(self) -> list[Variable]:
        if self.structure is None:
            return []
        return tree.flatten_leaves(self.structure)[0]


@public
class RNN(Layer):
    """Step a cell through sequences.

    Args:
        cell: A cell, or a list of cells to stack. A cell is a layer with a
            `state_size` (an integer, or a list of one for each state) whose
            ``call(inputs, states)`` returns the outputs and the new states of one
            step. It may have an `output_size` and ``get_initial_state(batch_size)``.
        return_sequences: Whether to return the outputs of all steps, not of the last.
        return_state: Whether to return the states after the last step too.
        go_backwards: Whether to begin at the end; outputs are then in that order.
        stateful: Whether each call begins with the states that the call before
            ended with. The batch size is then fixed.
        unroll: Whether a compiling backend lays out all steps in a row.
        zero_output_for_mask: Whether masked steps output zeros; otherwise they
            repeat the output of the step before.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If `cell` is no cell.

    >>> import polykeras as keras
    >>> layer = keras.layers.RNN(keras.layers.LSTMCell(4), return_state=True)
    >>> y, h, c = layer(keras.ops.ones((2, 5, 3)))
    >>> y.shape, c.shape
    ((2, 4), (2, 4))
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        """Remember the configuration."""
        if isinstance(cell, list | tuple):
            cell = StackedRNNCells(cell)
        check_cell(type(self).__name__, cell)
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self._kept = _KeptStates()

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the cell's states, in a list."""
        size = self.cell.state_size
        return list(size) if isinstance(size, list | tuple) else [size]

    @property
    def states(self) -> list[Any] | None:
        """The variables that a stateful layer keeps its states in, or None."""
        return self._kept.structure

    def _transient_variables(self) -> list[Variable]:
        return [*super()._transient_variables(), *self._kept.variables()]

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        """Build the cell, and the kept states of a stateful layer."""
        if isinstance(self.cell, Layer) and not self.cell.built:
            self._build_cell((sequences_shape[0], *sequences_shape[2:]))
        if self.stateful and self._kept.structure is None:
            self._keep_states(sequences_shape)

    def _build_cell(self, shape: Shape) -> None:
        cell = self.cell
        if type(cell).build is not Layer.build:
            cell.build(shape)
            return
        # A cell without `build` of its own: a step builds the layers inside.
        dtype = cell.compute_dtype
        sizes = [(n,) if isinstance(n, int) else tuple(n) for n in self.state_size]
        states = [KerasTensor((shape[0], *size), dtype) for size in sizes]
        cell.compute_output_spec(KerasTensor(shape, dtype), states)

    def _keep_states(self, shape: Shape) -> None:
        if shape[0] is None:
            raise ArgumentError(
                f"The layer {self.name!r} is stateful, so it needs to know the batch "
                f"size, but its inputs have the shape {tuple(shape)}. Pass batch_size= "
                "to Input, or build the layer with a full shape."
            )

        def variable(value: Tensor) -> Variable:
            return Variable(
                value, trainable=False, dtype=self.variable_dtype, name="rnn_state"
            )

        with autocast_scope(None), name_scope("states"):
            first = self.get_initial_state(shape[0])
            self._kept = _KeptStates(tree.map_leaves(variable, first))

    def get_initial_state(self, batch_size: int | None) -> list[Any]:
        """Return the states that a sequence begins with unless told otherwise."""
        dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
        return first_state(self.cell, batch_size, dtype)

    def reset_state(self) -> None:
        """Set the kept states to zeros."""
        for v in self._kept.variables():
            v.assign(ops.zeros(v.shape, dtype=v.dtype))

    def reset_states(self) -> None:
        """Set the kept states to zeros; see `reset_state`."""
        self.reset_state()

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask for the outputs of all steps, None for anything else."""
        mask = _one_mask(previous_mask)
        outputs = mask if self.return_sequences else None
        if not self.return_state:
            return outputs
        return [outputs, *(None for _ in self.state_size)]

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = False,
    ) -> Any:
        """Go through the sequences.

        Args:
            sequences: ``(batch, time, ...)``.
            initial_state: The states to begin with, in a list; None means zeros, or
                the kept states of a stateful layer.
            mask: ``(batch, time)``, False where a step is skipped, or None.
            training: Passed on to the cell.

        Returns:
            ``(batch, units)``, or ``(batch, time, units)`` with `return_sequences`;
            with `return_state` a tuple of that and each state.
        """
        states = self._states_to_begin(sequences, initial_state)
        steps = self._go_through(sequences, states, _one_mask(mask), training)
        if self.stateful:
            for v, x in zip(
                self._kept.variables(),
                tree.flatten_leaves(steps.states)[0],
                strict=True,
            ):
                v.assign(ops.stop_gradient(x))
        output = steps.outputs if self.return_sequences else steps.last
        return (output, *steps.states) if self.return_state else output

    def _states_to_begin(self, sequences: Tensor, given: Any) -> list[Any]:
        batch = sequences.shape[0]
        if given is None and self.stateful:
            given = tree.map_leaves(lambda v: v.value, self._kept.structure)
        if given is None:
            return self.get_initial_state(batch)
        states = list(given) if isinstance(given, list | tuple) else [given]
        if len(states) != len(self.state_size):
            raise ArgumentError(
                f"The layer {self.name!r} has {len(self.state_size)} states, but "
                f"initial_state holds {len(states)}."
            )
        for x in tree.flatten_leaves(states)[0]:
            if x.shape[0] != batch:
                raise ShapeError(
                    f"The layer {self.name!r} got sequences of shape "
                    f"{tuple(sequences.shape)}, but a state of shape {tuple(x.shape)}: "
                    "the batch sizes differ."
                    + (
                        " A stateful layer keeps the batch size it was built with."
                        if self.stateful
                        else ""
                    )
                )
        cast: list[Any] = tree.map_leaves(
            lambda x: ops.cast(x, self.compute_dtype), states
        )
        return cast

    def _go_through(
        self,
        sequences: Tensor,
        states: list[Any],
        mask: Tensor | None,
        training: bool | None,
    ) -> Steps:
        """Step the cell; subclasses have faster ways for what they know."""
        kwargs = {"training": training} if takes_training(self.cell) else {}
        masks: dict[int, DropoutMasks] = {}
        if training:
            shape = (sequences.shape[0], *sequences.shape[2:])
            _draw_masks(self.cell, shape, masks)
        with keeping_masks(masks):
            return Steps(
                *step_through(
                    lambda x, s: self.cell(x, s, **kwargs),
                    sequences,
                    states,
                    mask,
                    go_backwards=self.go_backwards,
                    unroll=self.unroll,
                    zero_output_for_mask=self.zero_output_for_mask,
                )
            )

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> RNN:
        """Return the layer of a config; `custom_objects` names cells of one's own."""
        with CustomObjectScope(custom_objects or {}):
            layer: RNN = super().from_config(config)
        return layer

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
            "cell": serialize_keras_object(self.cell),
        }


def _one_mask(mask: Any) -> Tensor | None:
    if isinstance(mask, list | tuple):
        return mask[0] if mask else None
    return mask


def _draw_masks(
    cell: Any, input_shape: tuple[int, ...], found: dict[int, DropoutMasks]
) -> None:
    """Draw the dropout masks of a cell, or of each cell of a stack."""
    if isinstance(cell, StackedRNNCells):
        for inner in cell.cells:
            _draw_masks(inner, input_shape, found)
            input_shape = (input_shape[0], output_size(inner))
    elif hasattr(cell, "draw_masks") and (cell.dropout or cell.recurrent_dropout):
        found[id(cell)] = cell.draw_masks(input_shape, input_shape[0])
