"""Watchers of one engine: record the reference, perturb it, follow an engine."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from weakref import ref

import numpy as np

from polykeras import dtypes
from polykeras.backend import Array, Backend, engine_scope
from polykeras.compare._calls import Call, Fed, Watcher, values_in
from polykeras.compare._measures import Bound
from polykeras.compare._noise import Perturbed
from polykeras.compare._sequences import Curve, goes_step_by_step, recorded
from polykeras.compare._store import Store
from polykeras.layers import Layer
from polykeras.layers._call import call_signature
from polykeras.layers.recurrent.rnn import RNN
from polykeras.models.functional import Functional
from polykeras.models.sequential import Sequential

__all__ = [
    "Follower",
    "Outcome",
    "Recorder",
    "Spreader",
    "depends_on_mode",
    "sees_values",
]


class Recorder(Watcher):
    """Records what each layer of the reference gets and gives.

    Attributes:
        calls: The calls by key, in the order in which they end.

    Args:
        engine: The reference.
        store: Holds the arrays.
        mode: ``"inference"`` or ``"training"``.
        earlier: A record to compare with; a call is taken from it as soon as it is
            compared, so that both do not fill the memory together.
    """

    def __init__(
        self,
        engine: Backend,
        store: Store,
        mode: str,
        earlier: dict[tuple[str, int], Call] | None = None,
    ) -> None:
        """Start without calls."""
        super().__init__(engine)
        self._store = store
        self._mode = mode
        self._earlier = {} if earlier is None else earlier
        self._same = True
        self.calls: dict[tuple[str, int], Call] = {}
        self._kept: dict[int, tuple[ref[Any], Array]] = {}

    @property
    def repeats(self) -> bool:
        """Whether all outputs have the bits of those in the earlier record."""
        return self._same and not self._earlier

    def watch(
        self,
        key: tuple[str, int],
        layer: Layer,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Run and record."""
        inputs = [self._keep(x) for x in values_in((args, kwargs))[0]]
        sequence = None
        if self._mode == "inference" and goes_step_by_step(layer):
            with self._unwatched():
                sequence = recorded(
                    cast("RNN", layer), args, kwargs, self.engine, self._store
                )
        outputs = layer.call(*args, **kwargs)
        leaves, form = values_in(outputs)
        found = [self._keep(x) for x in leaves]
        before = self._earlier.pop(key, None)
        if self._same:
            self._same = before is not None and _equal(before.outputs, found)
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


def _equal(a: list[Array | None], b: list[Array | None]) -> bool:
    return all(
        x is y or (x is not None and y is not None and np.array_equal(x, y, True))
        for x, y in zip(a, b, strict=True)
    )


def depends_on_mode(layer: Layer) -> bool:
    """Return whether a layer's own code may do something else in training."""
    stacked = isinstance(layer, Sequential | Functional)
    return not stacked and _reads_training(cast("Hashable", type(layer)))


@cache
def _reads_training(cls: Any) -> bool:
    """Return whether a class's `call` uses its argument `training`.

    Some have it for Keras' signature alone, such as `Dense`.
    """
    if not call_signature(cls).has_training:
        return False
    code = getattr(inspect.unwrap(cls.call), "__code__", None)
    return code is None or any(
        "training" in step.argrepr.split(", ") for step in dis.get_instructions(code)
    )


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
        inner, dtype = self.engine.inner, self.engine.target(dtype)
        same = dtypes.standardize_dtype(value.dtype) == dtype
        # What is rounded is copied.
        tensor = inner.borrowed(value) if same else inner.from_numpy(value, dtype)
        return self.engine.rounded(tensor)

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
        leaves, _ = values_in(outputs)
        names = [
            self.engine.dtype_name(x) if self.engine.is_tensor(x) else ""
            for x in leaves
        ]
        self.tell(Outcome(call, self.held(leaves), alone, names, fed, curve, again))
        return outputs


def sees_values(engine: Backend) -> bool:
    """Return whether tensors have values while an engine differentiates."""
    if engine.capabilities.autodiff != "native":
        return True
    seen: list[bool] = []

    def probe(x: Any) -> tuple[Any, None]:
        seen.append(engine.is_concrete(x))
        return x, None

    with engine_scope(engine):
        engine.value_and_grad(probe, [engine.from_numpy(np.ones(()), "float32")])
    return all(seen)
