"""One step of training, evaluation or prediction, as the backend runs it best.

On a backend that compiles, the step becomes a pure function of the model's state,
is traced once for each signature, and gives its old state up. Elsewhere, and where
the user's own code might have effects that a trace misses, the code runs as it stands.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from polykeras import ops, tree
from polykeras.backend import Backend, repeated
from polykeras.layers._tracking import frozen_structure
from polykeras.ops._abstract import Spec, spec_of
from polykeras.ops._operands import Operand
from polykeras.random import seed_scope
from polykeras.state import StateScope, donating, functional
from polykeras.training._dispatch import (
    MOST_STEPS,
    Backlog,
    DispatchPlan,
    Pace,
    capacity_for,
    loop,
)
from polykeras.training._samples import first_of
from polykeras.training._survey import surveyed
from polykeras.training.data import Group, Rows, Stacked, gathered, is_text
from polykeras.variables import arguments_of, tensors_of

if TYPE_CHECKING:
    from polykeras.backend import Array
    from polykeras.variables import Variable

__all__ = ["Step"]

_form = operator.attrgetter("shape", "dtype")


class Step:
    """A step function bound to a model's state.

    Attributes:
        traces: How often the step was traced.
        apart: Whether samples are known not to depend on others of their batch; None
            until somebody has looked.

    Args:
        fn: Takes one batch; reads and assigns variables; returns anything.
        variables: Returns all variables that `fn` may read or assign.
        backend: The backend that holds them.
        jit: Whether to compile.
        next_keys: Returns the keys of some steps, of shape (steps, 2), from which
            unseeded draws follow. They are an argument of the compiled function:
            drawn inside, they would be constant.
        parts: What the step was made of; a model of others needs a new step.
        collects: Whether the results of all batches of `Rows` are returned, on a new
            first axis, or those of the last.
        fn_of_some: As `fn`, of a batch that may be filled up, and which of its
            samples count; None where the surplus of the results is left out.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        variables: Callable[[], list[Variable]],
        backend: Backend,
        *,
        jit: bool,
        next_keys: Callable[[int], Array],
        parts: Sequence[Any] = (),
        collects: bool = False,
        fn_of_some: Callable[[Any, Any], Any] | None = None,
    ) -> None:
        """Choose how the step runs."""
        self._parts = parts
        self.backend = backend
        self.jit = jit and backend.capabilities.compile
        self.traces = 0
        self.apart: bool | None = None
        self._next_keys = next_keys
        self._fn = fn
        self._fn_of_some = fn_of_some
        self._find = variables
        self._collects = collects
        self._variables: list[Variable] = []
        self._settled = False
        self._cache: dict[tuple[int, str], Any] = {}
        self._names: list[str] | None = None
        self._compiled: Callable[..., Any] | None = None
        self._loops = False
        self._pace, self._backlog = Pace(self._wait), Backlog(self._wait)
        self._remainders: set[int] = set()
        self._on_rows: dict[Any, Callable[..., Any]] = {}

    def is_of(self, parts: Sequence[Any]) -> bool:
        """Return whether the step was made of these very objects, in this order."""
        return len(parts) == len(self._parts) and all(
            map(operator.is_, parts, self._parts)
        )

    def plan(
        self,
        batch: Any,
        *,
        each: int,
        steps: int | None,
        observed: bool,
        apart: Callable[[], bool],
    ) -> DispatchPlan:
        """Return how the data of an epoch are to be handed out.

        Args:
            batch: The first batch, or one like it with `Spec` for tensors.
            each: Batches in a dispatch, as the user said; 1 leaves it to the step
                unless it is observed.
            steps: Batches in the epoch; None if unknown.
            observed: Whether somebody acts after each dispatch.
            apart: Returns whether samples do not depend on others of their batch.
        """
        if not self.jit or _holds_text(batch):
            return DispatchPlan(each)
        free = each == 1 and not observed
        if self.backend.capabilities.eager:
            capacity = max(each, MOST_STEPS)
            return DispatchPlan(each, capacity, self._pace if free else None)
        if self._compiled is None:
            self._compile(batch)
        if not self._loops:
            return DispatchPlan(each, capacity=each, apart=apart)
        self._pace.forget()
        sizes = [x.shape[0] for x in tree.flatten(batch) if x is not None]
        capacity = max(each, capacity_for(sizes[0], steps))
        return DispatchPlan(each, capacity, self._pace if free else None, apart)

    def __call__(self, group: Group) -> Any:
        """Run the step on some batches and return its result for the last."""
        keys = self._next_keys(len(group))
        if isinstance(group, Rows | Stacked):
            if not self.backend.capabilities.eager:
                return self._run_in_loop(group, keys)
            if isinstance(group, Stacked):
                return self._run_stacked(group, keys)
            if group.in_order:
                return self._run_in_slices(group, keys)
            return self._run_row_by_row(group, keys)
        first = not self._settled and self.backend.capabilities.eager
        if first or not self.jit or _holds_text(group):
            own = [self.backend.from_numpy(key, "uint32") for key in keys]
            return self._run_eagerly(group, own)
        if self._compiled is None:
            self._compile(group[0])
        values = arguments_of(self._variables)
        own = [self.backend.argument(key) for key in keys]
        result, new = self._compiled(values, list(group), own)  # type: ignore[misc]
        if not (self._collects or self.backend.capabilities.eager):
            self._backlog.add(result)
        return self._take_in(result, new)

    def _take_in(self, result: Any, new: list[Any]) -> Any:
        self._bind(new)
        return self._in_order(result)

    def _bind(self, new: list[Any]) -> None:
        for v, value in zip(self._variables, new, strict=True):
            v.bind(value)

    def _in_order(self, result: Any) -> Any:
        if self._names is None:
            return result
        return {name: result[name] for name in self._names}

    def _run_in_loop(self, group: Rows | Stacked, keys: Array) -> Any:
        form, capacity, put = group.form, group.capacity, self.backend.argument
        samples = None
        if isinstance(group, Rows):
            tensors: list[Any] = group.tensors
            numbers = put(group.padded())
            if group.pads and self._fn_of_some is not None:
                samples = put(np.asarray(group.samples, np.int32))
        else:
            tensors = [None if a is None else put(a) for a in group.arrays]
            numbers = None
        known = ("loop", capacity, form, numbers is None, samples is None)
        program = self._on_rows.get(known)
        if program is None:
            program = self._on_rows[known] = self._looping_program(capacity, form)
        count, traces = len(group), self.traces
        padded = np.zeros((capacity, 2), np.uint32)
        padded[:count] = keys
        began = time.perf_counter()
        result, new = program(
            arguments_of(self._variables),
            tensors,
            numbers,
            put(padded),
            put(np.asarray(count, np.int32)),
            samples,
        )
        result = self._take_in(result, new)
        if self.traces > traces or capacity == 1:
            self._pace.forget()
        else:
            self._pace.note(result, count, began)
        return result

    def _run_row_by_row(self, rows: Rows, keys: Array) -> Any:
        """Run `Rows` by one call a batch; the state is stored once."""
        form, missing = rows.form, tuple(x is None for x in rows.tensors)
        present = [x for x in rows.tensors if x is not None]
        numbers = ops.unstack(self.backend.from_numpy(rows.numbers, "int32"))
        own = ops.unstack(self.backend.from_numpy(keys, "uint32"))

        def picked(present: Sequence[Any], n: Any) -> Any:
            tensors = _with_gaps(present, missing)
            return gathered(tensors, form, lambda x: ops.take(x, n, axis=0))

        def run(n: Any, key: Any, *present: Any) -> Any:
            return self._one(picked(present, n), key)

        start = 0
        if not self._settled:
            batch = picked(present, numbers[0])
            last, start = self._run_eagerly([batch], own[:1]), 1
            if len(numbers) == 1:
                return last
        began, traces = time.perf_counter(), self.traces
        pairs = list(zip(numbers, own, strict=True))
        calls = ((n, key, *present) for n, key in pairs[start:])
        for result in self._repeated(("take", form, missing), run, calls):
            last = result
        if self.traces == traces:
            self._pace.took(len(rows) - start, time.perf_counter() - began)
        return self._in_order(last)

    def _run_in_slices(self, rows: Rows, keys: Array) -> Any:
        """Run `Rows` that follow each other by one call a batch.

        Returns:
            The results of all batches, on a new first axis, if the step collects
            them, else those of the last.
        """
        first, size = int(rows.numbers[0, 0]), rows.numbers.shape[1]

        def apart(x: Any) -> Any:
            # The array API wants a place for every axis.
            together = x[first : first + len(rows) * size, ...]
            return ops.reshape(together, (len(rows), size, *x.shape[1:]))

        eager = not self._settled or self._is_new_remainder(rows)
        tensors = [None if x is None else apart(x) for x in rows.tensors]
        results = self._run_entries(tensors, rows.form, keys, eager)
        if not self._collects:
            return results[-1]
        if self.backend.is_tensor(results[0]):
            return self._on_new_axis(results)
        return tree.map_leaves(lambda *x: self._on_new_axis(x), *results)

    def _on_new_axis(self, results: Sequence[Any]) -> Any:
        """Return what `ops.stack` does, which looks at each of many results."""
        first = results[0]
        alike = self.backend.is_tensor(first) and all(
            len(set(map(fact, results))) == 1 for fact in (type, _form)
        )
        join = self.backend.kernels["stack"] if alike else ops.stack
        return join(list(results), 0)

    def _run_stacked(self, stack: Stacked, keys: Array) -> Any:
        """Run `Stacked` by one call a batch."""
        put, count = self.backend.argument, len(stack)
        tensors = [None if a is None else put(a[:count]) for a in stack.arrays]
        return self._run_entries(tensors, stack.form, keys, not self._settled)[-1]

    def _run_entries(
        self, tensors: list[Any], form: Any, keys: Array, eager: bool
    ) -> list[Any]:
        """Return the results of steps on the entries of tensors.

        Args:
            tensors: The leaves of all data; None for a part that is missing.
            form: Their structure.
            keys: One a step.
            eager: Whether the first step runs uncompiled.
        """
        missing = tuple(x is None for x in tensors)
        present = [x for x in tensors if x is not None]
        own = ops.unstack(self.backend.from_numpy(keys, "uint32"))
        steps = list(zip(own, *map(ops.unstack, present), strict=True))

        def batch(parts: Sequence[Any]) -> Any:
            return tree.unflatten_leaves(form, _with_gaps(parts, missing))

        def run(key: Any, *parts: Any) -> Any:
            return self._one(batch(parts), key)

        key, *parts = steps[0]
        results = [self._run_eagerly([batch(parts)], [key])] if eager else []
        began, traces, start = time.perf_counter(), self.traces, len(results)
        found = list(self._repeated(("part", form, missing), run, steps[start:]))
        results += found if self._names is None else map(self._in_order, found)
        if self.traces == traces and len(own) > start:
            self._pace.took(len(own) - start, time.perf_counter() - began)
        return results

    def _repeated(
        self, key: Any, run: Callable[..., Any], calls: Iterable[Sequence[Any]]
    ) -> Iterator[Any]:
        """Yield the results of steps in a row; their state is stored at the end.

        Args:
            key: What the compiled function is kept by.
            run: Runs one step on tensors.
            calls: The tensors of each step.
        """
        program = self._on_rows.get(key)
        if program is None:
            self._variables = self._find()

            def traced(*args: Any) -> Any:
                self.traces += 1
                with self._leave_to_overwrite():
                    return self._noting_names(run(*args))

            pure = functional(traced, self._variables)
            program = self._on_rows[key] = self.backend.compile(pure, donate=(0,))
        values = tensors_of(self._variables)
        try:
            for step in repeated(program, values, calls):
                values = step[1]
                yield step[0]
        finally:
            # Of the steps that succeeded, also where one fails.
            self._bind(values)

    def _is_new_remainder(self, rows: Rows) -> bool:
        """Return whether these are a last batch of a size that may never come again."""
        if rows.capacity > 1 or rows.samples in self._remainders:
            return False
        self._remainders.add(rows.samples)
        return True

    def _looping_program(self, capacity: int, form: Any) -> Callable[..., Any]:
        """Return the compiled function that runs `Rows` or `Stacked`."""

        def one(*args: Any) -> Any:
            return self._noting_names(self._one(*args))

        pure = functional(one, self._variables)

        def run(
            values: list[Any],
            tensors: list[Any],
            numbers: Any,
            keys: Any,
            count: Any,
            samples: Any,
        ) -> tuple[Any, list[Any]]:
            def step(at: Any, values: Any) -> Any:
                rows = at if numbers is None else ops.take(numbers, at, axis=0)
                batch = gathered(tensors, form, lambda x: ops.take(x, rows, axis=0))
                args = [batch, ops.take(keys, at, axis=0)]
                if samples is not None:
                    args.append(first_of(samples, at, rows.shape[0]))
                result, new = pure(values, *args)
                return tree.map_leaves(ops.convert_to_tensor, result), new

            self.traces += 1
            if capacity == 1:
                result, new = step(0, values)
                if self._collects:
                    result = tree.map_leaves(lambda x: ops.expand_dims(x, 0), result)
                return result, new
            size = () if numbers is None else numbers.shape[1:]
            batch = gathered(
                tensors, form, lambda x: Spec((*size, *x.shape[1:]), ops.dtype(x))
            )
            return loop(
                step,
                values,
                count,
                self._survey(batch)[0],
                capacity,
                collects=self._collects,
            )

        return self.backend.compile(run, donate=(0,))

    def _leave_to_overwrite(self) -> AbstractContextManager[None]:
        return donating() if self.backend.capabilities.inplace else nullcontext()

    def _wait(self, result: Any) -> None:
        for x in tree.flatten(result)[:1]:
            self.backend.to_numpy(x)

    def _one(self, batch: Any, key: Any, counts: Any = None) -> Any:
        with seed_scope(key):
            if counts is not None and self._fn_of_some is not None:
                return self._fn_of_some(batch, counts)
            return self._fn(batch)

    def _in_turn(self, batches: Sequence[Any], keys: Sequence[Any]) -> Any:
        for batch, key in zip(batches, keys, strict=True):
            result = self._one(batch, key)
        return result

    def _run_eagerly(self, batches: Sequence[Any], keys: Sequence[Any]) -> Any:
        if self._settled:
            with donating(), frozen_structure(self._cache):
                return self._in_turn(batches, keys)
        # The first batch may make variables, and may fail: data that do not fit show
        # up here. Its values are stored once all of it has succeeded.
        with StateScope()() as scope:
            result = self._in_turn(batches, keys)
        for key, variable in scope.written.items():
            variable.bind(scope.values[key])
        self._settled = True
        return result

    def _compile(self, batch: Any) -> None:
        # Optimizer slots and metric totals come into being in the first step; under
        # a tracer they could not, so let it pass once over shapes.
        if not self._settled:
            result, used = self._survey(batch)
            leaves = tree.flatten(result)
            whole = bool(leaves) and all(isinstance(x, Spec) for x in leaves)
            self._loops = whole and self.backend.loops_well(used)
        self._variables = self._find()
        eager = self.backend.capabilities.eager

        def run(batches: list[Any], keys: list[Any]) -> Any:
            self.traces += 1
            if len(batches) > 1 and not eager and _alike(batches):
                return self._scan(batches, keys)
            with self._leave_to_overwrite():
                return self._noting_names(self._in_turn(batches, keys))

        pure = functional(run, self._variables)
        self._compiled = self.backend.compile(pure, donate=(0,))

    def _survey(self, batch: Any) -> tuple[Any, Collection[str]]:
        """Return the result for a batch as specs, and the names of the ops used."""
        key = Spec((2,), "uint32")
        result, used = surveyed(self._one, self.backend, batch, key)
        result = self._noting_names(result)
        return tree.map_leaves(lambda x: spec_of(x, self.backend), result), used

    def _scan(self, batches: list[Any], keys: list[Any]) -> Any:
        """Run the batches as a loop, which compiles like one batch however many."""
        pure = functional(self._one, self._variables)

        def body(values: list[Any], x: tuple[Any, Any]) -> tuple[list[Any], Any]:
            result, new = pure(values, *x)
            result = self._noting_names(result)
            return new, tree.map_leaves(ops.convert_to_tensor, result)

        together = tree.map_leaves(_stacked, *batches)
        values = [v.value for v in self._variables]
        values, results = ops.scan(body, values, (together, ops.stack(keys)))
        for v, value in zip(self._variables, values, strict=True):
            v.assign(value)
        return tree.map_leaves(lambda x: x[-1], results)

    def _noting_names(self, result: Any) -> Any:
        # Compilers return dicts in key order; logs keep the order of metrics.
        self._names = list(result) if isinstance(result, dict) else None
        # The result of an own metric may be its variable.
        return tree.map_leaves(
            lambda x: x.operand() if isinstance(x, Operand) else x, result
        )


def _with_gaps(present: Sequence[Any], missing: Sequence[bool]) -> list[Any]:
    """Return the tensors with None in the places of those that are missing."""
    left = iter(present)
    return [None if gone else next(left) for gone in missing]


def _holds_text(batches: Any) -> bool:
    return any(map(is_text, tree.flatten(batches)))


def _alike(batches: list[Any]) -> bool:
    def shapes(batch: Any) -> Any:
        return tree.map_leaves(lambda x: None if x is None else tuple(x.shape), batch)

    first = shapes(batches[0])
    return all(shapes(batch) == first for batch in batches[1:])


def _stacked(*parts: Any) -> Any:
    return None if parts[0] is None else ops.stack(parts)
