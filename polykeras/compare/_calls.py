"""Watch the calls of a model's layers: record them, follow them, answer for them.

A call is known by the names of the layers around it and by how often that place was
reached before, so shared layers and the steps of a recurrent layer each have their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, cast
from weakref import ref

import numpy as np

from polykeras import dtypes, tree
from polykeras.backend import Array, Backend, active, engine_scope
from polykeras.compare._measures import Bound
from polykeras.compare._noise import Perturbed
from polykeras.compare._sequences import (
    Curve,
    SequenceRecord,
    Steps,
    goes_step_by_step,
    recorded,
    steps_of,
)
from polykeras.compare._store import Store
from polykeras.layers import Layer
from polykeras.layers._call import call_signature
from polykeras.layers.recurrent.rnn import RNN
from polykeras.models.functional import Functional
from polykeras.models.sequential import Sequential
from polykeras.ops._operands import Traced
from polykeras.state import StateScope

__all__ = ["Call", "Follower", "Outcome", "Recorder", "Spreader", "Watcher"]


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


class Watcher:
    """An observer of layers that knows where in the model it is.

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
        if not self._is_concrete((args, kwargs)):
            return layer.call(*args, **kwargs)
        path = "/".join((*self._path, layer.name))
        key = (path, self._counts[path])
        self._counts[path] += 1
        if self._answers is not None:
            call = self._answers.get(key)
            if call is None:
                return layer.call(*args, **kwargs)
            self._fed.append((call, self.arrays((args, kwargs))))
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

    def _is_concrete(self, structure: Any) -> bool:
        engine = active()
        return all(
            not isinstance(x, Traced)
            and (not self.engine.is_tensor(x) or engine.is_concrete(x))
            for x in tree.flatten(structure)
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
        leaves, form = tree.flatten_leaves(structure)
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
            with StateScope()():
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
        leaves, _ = tree.flatten_leaves(structure)
        return [
            np.asarray(self.engine.to_numpy(x)) if self.engine.is_tensor(x) else None
            for x in leaves
        ]


class Recorder(Watcher):
    """Records what each layer of the reference gets and gives.

    Attributes:
        calls: The calls by key, in the order in which they end.

    Args:
        engine: The reference.
        store: Holds the arrays.
        mode: ``"inference"`` or ``"training"``.
    """

    def __init__(self, engine: Backend, store: Store, mode: str) -> None:
        """Start without calls."""
        super().__init__(engine)
        self._store = store
        self._mode = mode
        self.calls: dict[tuple[str, int], Call] = {}
        self._kept: dict[int, tuple[ref[Any], Array]] = {}

    def watch(
        self,
        key: tuple[str, int],
        layer: Layer,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Run and record."""
        inputs = [self._keep(x) for x in tree.flatten_leaves((args, kwargs))[0]]
        sequence = None
        if self._mode == "inference" and goes_step_by_step(layer):
            with self._unwatched():
                sequence = recorded(
                    cast("RNN", layer), args, kwargs, self.engine, self._store
                )
        outputs = layer.call(*args, **kwargs)
        leaves, form = tree.flatten_leaves(outputs)
        found = [self._keep(x) for x in leaves]
        self.calls[key] = Call(
            key,
            type(layer).__name__,
            layer.compute_dtype,
            inputs,
            found,
            [_nominal(x, layer.compute_dtype) for x in found],
            form,
            not _has_no_ops(layer)
            and (self._mode == "inference" or depends_on_mode(layer)),
            sequence,
        )
        return outputs

    def _keep(self, x: Any) -> Array | None:
        """Return the values of a tensor: the outputs of one layer feed the next."""
        if not self.engine.is_tensor(x):
            return None
        kept = self._kept.get(id(x))
        # Numbers of tensors that are gone are given to others.
        if kept is not None and kept[0]() is x:
            return kept[1]
        value = self._store.keep(np.array(self.engine.to_numpy(x)))
        self._kept[id(x)] = ref(x), value
        return value


def depends_on_mode(layer: Layer) -> bool:
    """Return whether a layer's own code may do something else in training."""
    stacked = isinstance(layer, Sequential | Functional)
    return call_signature(cast("Hashable", type(layer))).has_training and not stacked


def _has_no_ops(layer: Layer) -> bool:
    """Return whether a model consists of its layers alone."""
    if isinstance(layer, Sequential):
        return layer.built
    return isinstance(layer, Functional) and all(
        isinstance(node.operation, Layer) for node in layer._graph.nodes
    )


def _nominal(x: Array | None, policy: str) -> str:
    if x is None:
        return ""
    name = dtypes.standardize_dtype(x.dtype)
    return policy if dtypes.is_float(name) else name


class Spreader(Watcher):
    """Widens the bounds of recorded calls by one perturbed reference.

    Args:
        engine: The reference.
        calls: The record to widen.
        rest: Whether to widen the bounds of those layers alone that are usually
            not run alone, rather than all others.
    """

    engine: Perturbed

    def __init__(
        self,
        engine: Perturbed,
        calls: dict[tuple[str, int], Call],
        *,
        rest: bool = False,
    ) -> None:
        """Take the record to widen."""
        super().__init__(engine)
        self.calls = calls
        self.rest = rest
        for call in calls.values():
            call.bounds = call.bounds or [Bound() for _ in call.outputs]
            call.local = call.local or [Bound() for _ in call.outputs]
            call.fed = call.fed or [Bound() for _ in call.inputs]

    def watch(
        self,
        key: tuple[str, int],
        layer: Layer,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Run alone and as the model runs."""
        call = self.calls.get(key)
        with self._dtype_of(layer):
            if call is not None and call.by_itself != self.rest:
                local, fed = self.alone(
                    call, self.calls, layer.call, args, kwargs, self._counts
                )
                _widen(call.local, self.arrays(local), call.outputs)
                for inner, inputs in fed:
                    _widen(inner.fed, inputs, inner.inputs)
                steps = self.steps(call, layer, args, kwargs)
                if steps is not None and call.sequence is not None:
                    call.sequence.widen(steps)
            outputs = layer.call(*args, **kwargs)
        if call is not None and not self.rest:
            _widen(call.bounds, self.arrays(outputs), call.outputs)
        return outputs

    def cast(self, value: Array, dtype: str) -> Any:
        """Round at random, as an engine that gets the value has to round it."""
        return self.engine.rounded(self.engine.inner.from_numpy(value, dtype))

    @contextmanager
    def _dtype_of(self, layer: Layer) -> Iterator[None]:
        before = self.engine.nominal
        if not self.engine.forced:
            self.engine.nominal = layer.compute_dtype
        try:
            yield
        finally:
            self.engine.nominal = before


def _widen(
    bounds: list[Bound], found: list[Array | None], expected: list[Array | None]
) -> None:
    for bound, x, want in zip(bounds, found, expected, strict=False):
        if x is not None and want is not None and x.shape == want.shape:
            bound.widen(x, want)


@dataclass
class Outcome:
    """What an engine gave for a call.

    Args:
        call: The call.
        outputs: As the model ran.
        alone: With the reference's inputs; empty if it has not run alone.
        dtypes: The dtypes of the outputs, "" for other leaves.
        fed: What the layer, alone, gave to the layers inside.
        curve: Of a recurrent layer, its errors step by step.
        again: Runs the layer alone on an engine that shares its tensors; None if that
            is not possible.
    """

    call: Call
    outputs: list[Array | None]
    alone: list[Array | None]
    dtypes: list[str]
    fed: list[Fed]
    curve: Curve | None
    again: Callable[[Backend], tuple[list[Array | None], list[Fed]]] | None


class Follower(Watcher):
    """Compares the calls of an engine with the record as they happen.

    Args:
        engine: The engine.
        calls: The record.
        tell: Gets the outcome of each call.
    """

    def __init__(
        self,
        engine: Backend,
        calls: dict[tuple[str, int], Call],
        tell: Callable[[Outcome], None],
    ) -> None:
        """Take the record."""
        super().__init__(engine)
        self.calls = calls
        self.tell = tell

    def watch(
        self,
        key: tuple[str, int],
        layer: Layer,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Run alone and as the model runs, and tell both."""
        call = self.calls.get(key)
        if call is None:
            return layer.call(*args, **kwargs)
        counts = self._counts.copy()

        def again(engine: Backend) -> tuple[list[Array | None], list[Fed]]:
            with engine_scope(engine):
                found = self.alone(call, self.calls, layer.call, args, kwargs, counts)
            return self.arrays(found[0]), found[1]

        alone, fed = again(self.engine) if call.by_itself else ([], [])
        steps = self.steps(call, layer, args, kwargs)
        curve = None
        if steps is not None and call.sequence is not None:
            curve = call.sequence.curve(steps)
        outputs = layer.call(*args, **kwargs)
        names = [
            self.engine.dtype_name(x) if self.engine.is_tensor(x) else ""
            for x in tree.flatten_leaves(outputs)[0]
        ]
        self.tell(Outcome(call, self.arrays(outputs), alone, names, fed, curve, again))
        return outputs
