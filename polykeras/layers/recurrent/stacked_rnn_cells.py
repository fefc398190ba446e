"""`StackedRNNCells`: several cells that act as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.layers.layer import Layer
from polykeras.layers.recurrent._cells import (
    check_cell,
    first_state,
    output_size,
    takes_training,
)
from polykeras.registry import deserialize_keras_object, public, serialize_keras_object

__all__ = ["StackedRNNCells"]

Shape = tuple[int | None, ...]


@public
class StackedRNNCells(Layer):
    """Let the outputs of each cell be the inputs of the next.

    Args:
        cells: At least one cell.
        kwargs: See `Layer`.

    Raises:
        ArgumentError: If there is none, or one is no cell.

    >>> import polykeras as keras
    >>> cells = [keras.layers.LSTMCell(4), keras.layers.GRUCell(2)]
    >>> layer = keras.layers.RNN(keras.layers.StackedRNNCells(cells))
    >>> layer(keras.ops.ones((2, 5, 3))).shape
    (2, 2)
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        """Remember the cells."""
        super().__init__(**kwargs)
        if not cells:
            raise ArgumentError("StackedRNNCells needs at least one cell, got none.")
        for cell in cells:
            check_cell("StackedRNNCells", cell)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The state sizes of the cells."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """Size of the outputs of the last cell."""
        return output_size(self.cells[-1])

    def build(self, input_shape: Shape) -> None:
        """Build each cell for the outputs of the one before."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
            input_shape = (input_shape[0], output_size(cell))

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Return the first states of the cells, a list each."""
        return [
            first_state(cell, batch_size, self.compute_dtype) for cell in self.cells
        ]

    def call(
        self, inputs: Tensor, states: Sequence[Any], training: bool | None = False
    ) -> tuple[Tensor, list[Any]]:
        """Take one step.

        Args:
            inputs: ``(batch, features)``.
            states: The states of each cell.
            training: Whether dropout is active.

        Returns:
            The outputs of the last cell, and the new states of each cell.
        """
        found = []
        for cell, state in zip(self.cells, states, strict=True):
            kwargs = {"training": training} if takes_training(cell) else {}
            inputs, new = cell(inputs, state, **kwargs)
            found.append(new)
        return inputs, found

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        cells = [serialize_keras_object(cell) for cell in self.cells]
        return {**super().get_config(), "cells": cells}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None
    ) -> StackedRNNCells:
        """Return new cells from what `get_config` returned."""
        cells = [deserialize_keras_object(c, custom_objects) for c in config["cells"]]
        return cls(cells, **{k: v for k, v in config.items() if k != "cells"})
