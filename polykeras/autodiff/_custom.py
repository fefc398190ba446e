"""Derivatives given by the user, and derivatives that recompute the forward pass."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from polykeras import tree
from polykeras.autodiff._tape import Tape, TapeTensor
from polykeras.backend import Tensor, active, is_abstract_engine
from polykeras.ops._operands import Operand
from polykeras.state import StateScope, current_scope
from polykeras.variables import Variable

__all__ = ["checkpoint", "on_tape"]


def _operand(x: Any) -> Any:
    return x.operand() if isinstance(x, Operand) else x


def _tape_of(args: Any) -> Tape | None:
    tensors = [x for x in tree.flatten(args) if isinstance(x, TapeTensor)]
    return max(tensors, key=lambda x: x.level).tape if tensors else None


class _Call:
    """Stands for an op on the tape: one call with one pullback."""

    elementwise = False
    vjp_rules: dict[int, Callable[..., Any]] = {}  # noqa: RUF012 empty and never changed

    def __init__(self, pullback: Callable[..., tuple[Any, ...]], count: int) -> None:
        def rule(g: Any, out: Any, *args: Any) -> tuple[Any, ...]:
            return pullback(*(g if isinstance(g, tuple) else (g,)))

        self.joint_vjp = (tuple(range(count)), rule)


def on_tape(tape: Tape, f: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a function that brings its own pullback, and record it as one step."""
    below = [x.value if tape.owns(x) else x for x in args]
    outputs, pullback = f(*below)
    call: Any = _Call(pullback, len(args))
    leaves, form = tree.flatten_leaves(outputs)
    wrapped = tape.record(call, list(args), below, tuple(leaves))
    return tree.unflatten_leaves(form, wrapped)


# -- checkpointing ---------------------------------------------------------------


def checkpoint(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Save memory: forget what `fn` computes inside, and compute it again backwards.

    Args:
        fn: A function of tensors; it may use layers and variables.

    Returns:
        A function with the same results and gradients.

    Reference: Chen et al., 2016, "Training Deep Nets with Sublinear Memory Cost".

    >>> import polykeras as keras
    >>> f = keras.checkpoint(lambda x: keras.ops.sin(x) ** 2)
    >>> round(float(keras.grad(f)(1.0)), 4)
    0.9093
    """

    def call(*args: Any) -> Any:
        if is_abstract_engine():
            return fn(*args)
        run = _Recomputable(fn)
        args = tuple(tree.map_leaves(_operand, args))
        engine = active()
        if engine.capabilities.autodiff == "native":
            outputs, writes = engine.checkpoint(run)(*args)
        else:
            outputs, writes = _checkpoint_on_tape(run, args)
        for variable, value in zip(run.assigned, writes, strict=True):
            variable.assign(value)
        return outputs

    return call


class _Recomputable:
    """A function that sees the same variables whenever it runs.

    The backward pass comes after the scopes of the forward pass are gone and seeds
    have advanced, so both are kept as they were.
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        self._fn = fn
        self._context = copy_context()
        scope = current_scope()
        self._bound = {} if scope is None else scope.snapshot()
        self.assigned: list[Variable] = []

    def __call__(self, *args: Any) -> tuple[Any, list[Any]]:
        return self._context.copy().run(self._run, *args)

    def _run(self, *args: Any) -> tuple[Any, list[Any]]:
        scope = StateScope()
        scope.values = dict(self._bound)
        with scope():
            outputs = self._fn(*args)
            self.assigned = list(scope.written.values())
            return outputs, [scope.values[id(v)] for v in self.assigned]


def _checkpoint_on_tape(run: _Recomputable, args: tuple[Any, ...]) -> tuple[Any, Any]:
    tape = _tape_of((args, list(run._bound.values())))
    if tape is None:
        return run(*args)
    start = len(tape.records)
    outputs, writes = run(*args)
    segment, tape.records[start:] = tape.records[start:], []
    made = {id(t) for record in segment for t in tree.flatten(record[4])}
    used = [x for record in segment for x in tree.flatten(record[1]) if tape.owns(x)]
    sources: list[TapeTensor] = []
    for x in used:
        if id(x) not in made and all(x is not s for s in sources):
            sources.append(x)

    def lower(x: Any) -> Any:
        return x.value if tape.owns(x) else x

    leaves, form = tree.flatten_leaves(outputs)
    inner = [x for x in leaves if tape.owns(x)]

    def pullback(*upstream: Any) -> tuple[Any, ...]:
        before, tape.records = tape.records, []
        try:
            again = tree.flatten(run(*args)[0])
            traced: list[Tensor] = [x for x in again if tape.owns(x)]
            return tuple(tape.pullback(traced, upstream, sources))
        finally:
            tape.records = before

    del segment, made, used
    call: Any = _Call(pullback, len(sources))
    values = tuple(x.value for x in inner)
    wrapped = iter(tape.record(call, list(sources), [s.value for s in sources], values))
    outputs = tree.unflatten_leaves(
        form, [next(wrapped) if tape.owns(x) else x for x in leaves]
    )
    return outputs, tree.map_leaves(lower, writes)
