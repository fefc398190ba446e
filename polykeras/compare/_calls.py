"""Watch the calls of a model's layers, run them alone, answer for them.

A call is known by the names of the layers around it and by how often that place was
reached before, so shared layers and the steps of a recurrent layer each have their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, cast

import numpy as np

from polykeras import ops, tree
from polykeras.autodiff._tape import TapeTensor
from polykeras.backend import Array, Backend, active, is_abstract_engine
from polykeras.compare._measures import Bound
from polykeras.compare._sequences import SequenceRecord, Steps, steps_of
from polykeras.layers import Layer
from polykeras.layers.recurrent.rnn import RNN
from polykeras.ops._operands import Traced
from polykeras.state import StateScope
from polykeras.variables import Variable

__all__ = ["Call", "Fed", "Watcher", "values_in"]


@dataclass
class Call:
    """One call of one layer on the reference.

    Args:
        key: The path of layer names and the number of the call at that place.
        cls: The layer's class.
        policy: The dtype that the layer computes in.
        inputs: The tensors among its arguments, in 64 bits; None for other leaves.
        outputs: Its outputs likewise.
        dtypes: The dtype of each output in the model, "" for other leaves.
        form: The structure of the outputs.
        by_itself: Whether engines run the layer alone too. In training only layers
            that know of it do, and models without ops of their own never: others run
            alone once their error as the model ran asks for it.
        sequence: Of a recurrent layer, its steps.
        bounds: The rounding to expect of each output as the model runs.
        local: The same of the layer alone, with the reference's inputs.
        fed: The same of the inputs, where the layer around it runs alone.
    """

    key: tuple[str, int]
    cls: str
    policy: str
    inputs: list[Array | None]
    outputs: list[Array | None]
    dtypes: list[str]
    form: Any
    by_itself: bool
    sequence: SequenceRecord | None = None
    bounds: list[Bound] = field(default_factory=list)
    local: list[Bound] = field(default_factory=list)
    fed: list[Bound] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The path, with the number of the call where it is not the first."""
        path, number = self.key
        return f"{path}[{number}]" if number else path

    def fresh(self) -> Call:
        """Return the call without bounds."""
        sequence = None if self.sequence is None else self.sequence.fresh()
        return replace(self, sequence=sequence, bounds=[], local=[], fed=[])


Fed: TypeAlias = "tuple[Call, list[Array | None]]"
"""A call inside a layer that runs alone, and the inputs that it was given."""


def values_in(structure: Any) -> tuple[list[Any], Any]:
    """Return the leaves of a structure, values for tensors that a tape records.

    Returns:
        The leaves, and what rebuilds the structure.
    """
    leaves, form = tree.flatten_leaves(structure)
    return [x.primal() if isinstance(x, TapeTensor) else x for x in leaves], form


class Watcher:
    """An observer of layers that knows where in the model it is.

    It sees the values of a model that is being differentiated too, where the engine
    has them: see `sees_values`.

    Args:
        engine: The engine that the model is on.
    """

    def __init__(self, engine: Backend) -> None:
        """Start outside of the model."""
        self.engine = engine
        self._path: list[str] = []
        self._counts: Counter[str] = Counter()
        self._answers: dict[tuple[str, int], Call] | None = None
        self._fed: list[Fed] = []

    def __call__(
        self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run one call, or answer it from the record."""
        given, _ = values_in((args, kwargs))
        if is_abstract_engine() or not self._is_concrete(given):
            return layer.call(*args, **kwargs)
        path = "/".join((*self._path, layer.name))
        key = (path, self._counts[path])
        self._counts[path] += 1
        if self._answers is not None:
            call = self._answers.get(key)
            if call is None:
                return layer.call(*args, **kwargs)
            self._fed.append((call, self.held(given)))
            return self._answer(call)
        self._path.append(layer.name)
        try:
            return self.watch(key, layer, args, kwargs)
        finally:
            self._path.pop()

    def watch(
        self,
        key: tuple[str, int],
        layer: Layer,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Run one call and do something about it."""
        raise NotImplementedError

    def _is_concrete(self, leaves: list[Any]) -> bool:
        engine = active()
        return all(
            not isinstance(x, Traced)
            and (not self.engine.is_tensor(x) or engine.is_concrete(x))
            for x in leaves
        )

    def _answer(self, call: Call) -> Any:
        """Return the recorded outputs of a layer inside the one that runs alone."""
        return tree.unflatten_leaves(
            call.form,
            [
                None if value is None else self.cast(value, dtype)
                for value, dtype in zip(call.outputs, call.dtypes, strict=True)
            ],
        )

    def replaced(self, structure: Any, values: list[Array | None]) -> Any:
        """Return a structure with recorded values in place of its tensors."""
        leaves, form = values_in(structure)
        if len(leaves) != len(values):
            return structure
        new = [
            x if value is None else self.cast(value, self.engine.dtype_name(x))
            for x, value in zip(leaves, values, strict=True)
        ]
        return tree.unflatten_leaves(form, new)

    def cast(self, value: Array, dtype: str) -> Any:
        """Return a recorded value as a tensor of the engine."""
        return self.engine.from_numpy(value, dtype)

    def alone(
        self,
        call: Call,
        calls: dict[tuple[str, int], Call],
        run: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        counts: Counter[str],
    ) -> tuple[Any, list[Fed]]:
        """Run a layer on the reference's inputs; layers inside answer as recorded.

        Args:
            call: What it got and gave on the reference.
            calls: What answers for layers inside.
            run: The code of the layer.
            args: Its arguments, whose tensors are replaced.
            kwargs: Likewise.
            counts: How often each place had been reached when the call began.

        Returns:
            The outputs, and what each layer inside was given.
        """
        given = self.replaced((args, kwargs), call.inputs)
        before, self._counts = self._counts, counts.copy()
        self._answers, self._fed = calls, []
        try:
            with _Untracked()():
                return run(*given[0], **given[1]), self._fed
        finally:
            self._answers = None
            self._counts = before

    def steps(
        self, call: Call, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Steps | None:
        """Return what a recurrent layer gives at each step on the reference's input."""
        if call.sequence is None:
            return None
        given = self.replaced((args, kwargs), call.inputs)
        with self._unwatched():
            return steps_of(
                cast("RNN", layer),
                given[0],
                given[1],
                self.engine,
                call.sequence,
                self.cast,
            )

    @contextmanager
    def _unwatched(self) -> Iterator[None]:
        """Let layers run unseen, and change nothing, in the block."""
        before, self._counts = self._counts, self._counts.copy()
        self._answers = {}
        try:
            with StateScope()():
                yield
        finally:
            self._answers, self._counts = None, before

    def arrays(self, structure: Any) -> list[Array | None]:
        """Return the values of the tensors, None for other leaves.

        They may share memory with the tensors.
        """
        return self.held(values_in(structure)[0])

    def held(self, leaves: list[Any]) -> list[Array | None]:
        """Return the values of the tensors among leaves, None for others."""
        return [
            np.asarray(self.engine.to_numpy(x)) if self.engine.is_tensor(x) else None
            for x in leaves
        ]


class _Untracked(StateScope):
    """A block in which variables are values that nothing differentiates."""

    def read(self, variable: Variable) -> Any:
        """Return the value bound to a variable, without history."""
        value = super().read(variable)
        if value is None or id(variable) in self.values:
            return value
        if isinstance(value, TapeTensor):
            value = value.primal()
        elif active().capabilities.autodiff == "native":
            value = ops.stop_gradient(value)
        self.values[id(variable)] = value
        return value
