"""One step of training, evaluation or prediction, as the backend runs it best.

On a backend that compiles, the step becomes a pure function of the model's state,
is traced once for each signature, and gives its old state up. Elsewhere the code
runs as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from polykeras import ops, tree
from polykeras.backend import Backend, engine_scope
from polykeras.layers._tracking import frozen_structure
from polykeras.ops._abstract import AbstractEngine, spec_of
from polykeras.ops._operands import Operand
from polykeras.random import seed_scope
from polykeras.state import StateScope, donating, functional
from polykeras.training.data import is_text

if TYPE_CHECKING:
    from polykeras.backend import Array
    from polykeras.variables import Variable

__all__ = ["Step", "dry_run"]


def dry_run(fn: Callable[..., Any], backend: Backend, *args: Any) -> Any:
    """Run `fn` on shapes only, so that everything it makes on first use is made.

    Args:
        fn: Code over layers, metrics and optimizers.
        backend: The backend that holds the variables.
        args: Structures of tensors.

    Returns:
        What `fn` returns, with `Spec` in place of tensors. No variable changes.
    """
    specs = tree.map_leaves(lambda x: spec_of(x, backend), args)
    with engine_scope(AbstractEngine(backend)), StateScope()():
        return fn(*specs)


class Step:
    """A step function bound to a model's state.

    Attributes:
        traces: How often the step was traced.

    Args:
        fn: Takes one batch; reads and assigns variables; returns anything.
        variables: Returns all variables that `fn` may read or assign.
        backend: The backend that holds them.
        jit: Whether to compile.
        next_key: Returns the key of a step, from which unseeded draws follow. It is
            an argument of the compiled function: drawn inside, it would be constant.
        key: What the step was made for; a model with another one needs a new step.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        variables: Callable[[], list[Variable]],
        backend: Backend,
        *,
        jit: bool,
        next_key: Callable[[], Array],
        key: tuple[int, ...] = (),
    ) -> None:
        """Choose how the step runs."""
        self.key = key
        self.backend = backend
        self.jit = jit and backend.capabilities.compile
        self.traces = 0
        self._next_key = next_key
        self._fn = fn
        self._find = variables
        self._variables: list[Variable] = []
        self._settled = False
        self._cache: dict[tuple[int, str], Any] = {}
        self._names: list[str] | None = None
        self._compiled: Callable[..., Any] | None = None

    def __call__(self, batches: Sequence[Any]) -> Any:
        """Run the step on some batches and return its result for the last."""
        keys = [self.backend.from_numpy(self._next_key(), "uint32") for _ in batches]
        if not self.jit or any(is_text(x) for x in tree.flatten(list(batches))):
            return self._run_eagerly(batches, keys)
        if self._compiled is None:
            self._compile(batches[0], keys[0])
        values = [v.raw() for v in self._variables]
        result, new = self._compiled(values, list(batches), keys)  # type: ignore[misc]
        for v, value in zip(self._variables, new, strict=True):
            v.bind(value)
        if self._names is None:
            return result
        return {name: result[name] for name in self._names}

    def _one(self, batch: Any, key: Any) -> Any:
        with seed_scope(key):
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

    def _compile(self, batch: Any, key: Any) -> None:
        # Optimizer slots and metric totals come into being in the first step; under
        # a tracer they could not, so let it pass once over shapes.
        dry_run(self._one, self.backend, batch, key)
        self._variables = self._find()

        def run(batches: list[Any], keys: list[Any]) -> Any:
            self.traces += 1
            if len(batches) > 1 and _alike(batches):
                return self._scan(batches, keys)
            return self._noting_names(self._in_turn(batches, keys))

        pure = functional(run, self._variables)
        self._compiled = self.backend.compile(pure, donate=(0,))

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


def _alike(batches: list[Any]) -> bool:
    def shapes(batch: Any) -> Any:
        return tree.map_leaves(lambda x: None if x is None else tuple(x.shape), batch)

    first = shapes(batches[0])
    return all(shapes(batch) == first for batch in batches[1:])


def _stacked(*parts: Any) -> Any:
    return None if parts[0] is None else ops.stack(parts)
