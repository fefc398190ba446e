"""Run code on shapes alone, before it is compiled."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from polykeras import tree
from polykeras.backend import Backend, engine_scope
from polykeras.ops._abstract import AbstractEngine, spec_of
from polykeras.state import StateScope

__all__ = ["dry_run", "surveyed"]


def dry_run(fn: Callable[..., Any], backend: Backend, *args: Any) -> Any:
    """Run `fn` on shapes only, so that everything it makes on first use is made.

    Args:
        fn: Code over layers, metrics and optimizers.
        backend: The backend that holds the variables.
        args: Structures of tensors.

    Returns:
        What `fn` returns, with `Spec` in place of tensors. No variable changes.
    """
    return surveyed(fn, backend, *args)[0]


def surveyed(
    fn: Callable[..., Any], backend: Backend, *args: Any
) -> tuple[Any, Collection[str]]:
    """Return what `dry_run` does, and the names of the ops that ran."""
    specs = tree.map_leaves(lambda x: spec_of(x, backend), args)
    engine = AbstractEngine(backend)
    with engine_scope(engine), StateScope()():
        return fn(*specs), engine.kernels.keys()
