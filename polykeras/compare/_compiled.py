"""Compiled models: what their layers give, as further results of the program.

A compiler's intermediate values do not exist for an observer. So the program is
traced with the outputs of all layers among its results, which also says how much of a
difference is the compiler's: ``torch,torch:compiled``.
"""

from __future__ import annotations

from typing import Any

from polykeras import tree
from polykeras.backend import Backend
from polykeras.compare._calls import Call, Watcher
from polykeras.compare._engines import Delegate
from polykeras.compare._watchers import Outcome
from polykeras.layers import Layer
from polykeras.layers._call import observing
from polykeras.state import StateScope

__all__ = ["CompiledEngine", "compiled_outcomes", "is_compiled"]


class CompiledEngine(Delegate):
    """A backend whose models and steps are compiled.

    Args:
        inner: The backend.
    """

    def __init__(self, inner: Backend) -> None:
        """Name it."""
        super().__init__(inner, f"{inner.name}:compiled")


def is_compiled(engine: Backend) -> bool:
    """Return whether models on an engine are to be compiled."""
    return isinstance(engine, CompiledEngine)


class _Collector(Watcher):
    """Keeps the outputs of layers while a program is traced."""

    def __init__(self, engine: Backend, calls: dict[tuple[str, int], Call]) -> None:
        super().__init__(engine)
        self.calls = calls
        self.found: dict[tuple[str, int], Any] = {}
        self._in_loop = 0

    def __call__(
        self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run a call and keep its outputs, unless it is a step of a loop."""
        if self._in_loop:
            # Values inside a loop do not exist outside of it.
            return layer.call(*args, **kwargs)
        path = "/".join((*self._path, layer.name))
        key = (path, self._counts[path])
        self._counts[path] += 1
        self._path.append(layer.name)
        self._in_loop += hasattr(layer, "cell")
        try:
            outputs = layer.call(*args, **kwargs)
        finally:
            self._in_loop -= hasattr(layer, "cell")
            self._path.pop()
        if key in self.calls:
            self.found[key] = outputs
        return outputs


def compiled_outcomes(
    model: Any, x: Any, engine: Backend, calls: dict[tuple[str, int], Call], mode: str
) -> list[Outcome]:
    """Run a compiled model and return what its layers gave.

    Args:
        model: The model, on the engine.
        x: Its inputs.
        engine: The engine, which is active.
        calls: Those of the reference.
        mode: ``"inference"`` or ``"training"``.
    """
    keys: list[tuple[str, int]] = []

    def program(inputs: Any) -> list[Any]:
        collector = _Collector(engine, calls)
        with observing(collector), StateScope()():
            model(inputs, training=mode == "training")
        keys[:] = collector.found
        return [tree.flatten_leaves(y)[0] for y in collector.found.values()]

    inputs = tree.map_leaves(engine.convert_to_tensor, x)
    results = engine.compile(program)(inputs)
    watcher = Watcher(engine)
    outcomes = []
    for key, leaves in zip(keys, results, strict=True):
        names = [engine.dtype_name(y) if engine.is_tensor(y) else "" for y in leaves]
        outcomes.append(
            Outcome(calls[key], watcher.arrays(list(leaves)), [], names, [], None, None)
        )
    return outcomes
