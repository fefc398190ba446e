"""Recurrent layers, step by step along time.

However an engine goes through a sequence, by an op of its own or a compiled loop, its
outputs of all steps can be looked at, and its cell can run each step from the states
that the reference had there. The first says from which step on the layer errs more
than rounding explains, the second whether a single step does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polykeras import ops, tree
from polykeras.backend import Array, Backend
from polykeras.compare._judging import Judged, judged
from polykeras.compare._measures import Bound
from polykeras.compare._store import Store
from polykeras.layers.layer import Layer
from polykeras.layers.recurrent._cells import takes_training
from polykeras.layers.recurrent.rnn import RNN, _one_mask

__all__ = ["Curve", "SequenceRecord", "goes_step_by_step", "recorded", "steps_of"]


@dataclass(frozen=True)
class Curve:
    """The error of a recurrent layer at each step, in the order of processing.

    Args:
        errors: The largest error of the layer's outputs, on the reference's inputs.
        bounds: The largest that is rounding.
        local_errors: The largest error of the outputs and new states of the cell by
            itself, with the reference's states before the step.
        local_bounds: The largest that is rounding.
        first_bad: The first step, from 1, whose error rounding does not explain, or
            None.
        local_first_bad: The same of the cell by itself.
    """

    errors: tuple[float, ...]
    bounds: tuple[float, ...]
    local_errors: tuple[float, ...]
    local_bounds: tuple[float, ...]
    first_bad: int | None
    local_first_bad: int | None

    def __str__(self) -> str:
        count = len(self.errors)
        if self.first_bad is None and self.local_first_bad is None:
            worst = int(np.argmax(self.errors))
            return (
                f"rounding explains all {count} steps, the largest error is "
                f"{self.errors[worst]:.2e} at step {worst + 1}"
            )
        cell = (
            "at none"
            if self.local_first_bad is None
            else f"first at step {self.local_first_bad}"
        )
        layer = "at none" if self.first_bad is None else f"from step {self.first_bad}"
        return (
            f"of {count} steps the outputs are off {layer}, the cell by itself, from "
            f"the reference's states, {cell}"
        )


@dataclass
class Steps:
    """What a recurrent layer gives at all steps.

    Args:
        outputs: ``(batch, time, ...)``, as the layer goes through the sequence.
        cell: The outputs and new states of its cell, ``(time * batch, ...)``, each
            step from the reference's states.
        dtypes: The dtype of the outputs, then of the leaves of the cell.
    """

    outputs: Array
    cell: list[Array]
    dtypes: list[str]


@dataclass
class SequenceRecord:
    """What the steps of a recurrent layer were on the reference.

    Args:
        batch: Number of sequences.
        inputs: Those of the cell, ``(time * batch, ...)``.
        states: The states before each step likewise.
        form: Their structure.
        steps: What came out.
        bounds: The rounding to expect of the outputs, step by step.
        local_bounds: The same of each leaf of the cell.
    """

    batch: int
    inputs: Array
    states: list[Array]
    form: Any
    steps: Steps
    bounds: list[Bound] = field(default_factory=list)
    local_bounds: list[list[Bound]] = field(default_factory=list)

    def fresh(self) -> SequenceRecord:
        """Return the record without bounds."""
        return SequenceRecord(
            self.batch, self.inputs, self.states, self.form, self.steps
        )

    def widen(self, found: Steps) -> None:
        """Widen the bounds by what a perturbed reference gave."""
        pieces = list(zip(self._by_step(found), self._by_step(self.steps), strict=True))
        if not self.bounds:
            self.bounds = [Bound() for _ in pieces]
            self.local_bounds = [[Bound() for _ in want[1]] for _, want in pieces]
        for (mine, want), bound, local in zip(
            pieces, self.bounds, self.local_bounds, strict=True
        ):
            bound.widen(mine[0], want[0])
            for a, b, c in zip(local, mine[1], want[1], strict=True):
                a.widen(b, c)

    def curve(self, found: Steps) -> Curve:
        """Return the errors of an engine at each step."""
        whole: list[Judged] = []
        alone: list[Judged] = []
        pieces = zip(self._by_step(found), self._by_step(self.steps), strict=True)
        for i, (mine, want) in enumerate(pieces):
            whole.append(judged(mine[0], want[0], found.dtypes[0], self.bounds[i]))
            leaves = zip(
                mine[1], want[1], found.dtypes[1:], self.local_bounds[i], strict=True
            )
            alone.append(max((judged(*leaf) for leaf in leaves), key=lambda j: j.rank))
        return Curve(
            tuple(j.error.max_abs for j in whole),
            tuple(j.bound for j in whole),
            tuple(j.error.max_abs for j in alone),
            tuple(j.bound for j in alone),
            _first_bad(whole),
            _first_bad(alone),
        )

    def _by_step(self, steps: Steps) -> list[tuple[Array, list[Array]]]:
        return [
            (
                steps.outputs[:, t],
                [x[t * self.batch : (t + 1) * self.batch] for x in steps.cell],
            )
            for t in range(self.steps.outputs.shape[1])
        ]


def goes_step_by_step(layer: Layer) -> bool:
    """Return whether a layer's sequences can be looked into."""
    return isinstance(layer, RNN) and type(layer).call is RNN.call


def _first_bad(steps: Sequence[Judged]) -> int | None:
    return next((i + 1 for i, step in enumerate(steps) if step.bad), None)


def recorded(
    layer: RNN,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    engine: Backend,
    store: Store,
) -> SequenceRecord:
    """Go through a sequence on the reference, one step after the other.

    Args:
        layer: The layer.
        args: What its `call` got.
        kwargs: Likewise.
        engine: The reference.
        store: Holds the arrays.
    """
    sequences, states, mask = _arguments(layer, args, kwargs)
    outputs = layer._go_through(sequences, states, mask, False).outputs
    count = sequences.shape[1]
    order = range(count - 1, -1, -1) if layer.go_backwards else range(count)
    inputs: list[Array] = []
    before: list[list[Any]] = []
    after: list[list[Any]] = []
    leaves, form = tree.flatten_leaves(states)
    for t in order:
        x = sequences[:, t]
        result = tree.flatten_leaves(
            _step(layer, x, tree.unflatten_leaves(form, leaves))
        )
        inputs.append(engine.to_numpy(x))
        before.append([engine.to_numpy(s) for s in leaves])
        after.append([engine.to_numpy(s) for s in result[0]])
        new = result[0][-len(leaves) :]
        if mask is not None:
            kept = ops.reshape(
                ops.cast(mask[:, t], "bool"), (-1, *[1] * (len(new[0].shape) - 1))
            )
            new = [ops.where(kept, a, b) for a, b in zip(new, leaves, strict=True)]
        leaves = new

    def stacked(steps: Sequence[Array]) -> Array:
        return store.keep(np.concatenate(steps))

    whole = np.array(engine.to_numpy(outputs))
    cell = [stacked(leaf) for leaf in zip(*after, strict=True)]
    return SequenceRecord(
        batch=sequences.shape[0],
        inputs=stacked(inputs),
        states=[stacked(leaf) for leaf in zip(*before, strict=True)],
        form=form,
        steps=Steps(store.keep(whole), cell, []),
    )


def steps_of(
    layer: RNN,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    engine: Backend,
    record: SequenceRecord,
    cast: Any,
) -> Steps:
    """Return what the layer gives at all steps on an engine.

    Args:
        layer: The layer.
        args: What its `call` got, from the reference.
        kwargs: Likewise.
        engine: The engine.
        record: That of the reference.
        cast: Makes a tensor of an array and a dtype.
    """
    sequences, states, mask = _arguments(layer, args, kwargs)
    outputs = layer._go_through(sequences, states, mask, False).outputs
    like = tree.flatten_leaves(states)[0]
    given = [
        cast(x, engine.dtype_name(s)) for x, s in zip(record.states, like, strict=True)
    ]
    inputs = cast(record.inputs, engine.dtype_name(sequences))
    # All steps at once: they do not depend on each other any more.
    result = _step(layer, inputs, tree.unflatten_leaves(record.form, given))
    leaves = tree.flatten_leaves(result)[0]
    return Steps(
        np.asarray(engine.to_numpy(outputs)),
        [np.asarray(engine.to_numpy(x)) for x in leaves],
        [engine.dtype_name(x) for x in (outputs, *leaves)],
    )


def _step(layer: RNN, x: Any, states: Any) -> Any:
    training = {"training": False} if takes_training(layer.cell) else {}
    return layer.cell(x, states, **training)


def _arguments(
    layer: RNN, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, list[Any], Any]:
    named = layer._signature.named(args, kwargs)
    sequences = named["sequences"]
    states = layer._states_to_begin(sequences, named.get("initial_state"))
    return sequences, states, _one_mask(named.get("mask"))
