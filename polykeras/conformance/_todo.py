"""`todo`: which primitives a backend lacks, and in which order to write them."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import polykeras.random  # noqa: F401 declares the ops of dropout
from polykeras.backend import (
    REFERENCE,
    Backend,
    Kernel,
    KernelTable,
    get_backend,
    use_backend,
)
from polykeras.conformance._case import Trial
from polykeras.conformance.cases import all_cases
from polykeras.ops._registry import REGISTRY

if TYPE_CHECKING:
    from polykeras.ops._declare import Op

__all__ = ["Missing", "Primitive", "Todo", "primitives", "todo"]


@dataclass(frozen=True)
class Primitive:
    """What a backend's author has to know of a primitive, from its declaration.

    Args:
        name: The key in kernel tables.
        domain: The file of `polykeras.ops` that declares it.
        parameters: The names of what a kernel gets, by position.
        contract: The first sentence of the op's documentation.
        has_default: Whether eager libraries do without a kernel.
    """

    name: str
    domain: str
    parameters: tuple[str, ...]
    contract: str
    has_default: bool


@dataclass(frozen=True)
class Missing:
    """A primitive without a kernel, and the ops that cannot run without it."""

    primitive: Primitive
    needed_by: tuple[str, ...]


@dataclass(frozen=True)
class Todo:
    """What a backend still lacks.

    Args:
        missing: What the most ops need comes first.
        primitives: How many primitives need a kernel.
        runnable: The ops whose first sample needs none of the missing ones.
        ops: How many ops have a case.
    """

    missing: tuple[Missing, ...]
    primitives: int
    runnable: tuple[str, ...]
    ops: int

    @property
    def coverage(self) -> float:
        """The share of ops that can run."""
        return len(self.runnable) / self.ops


def primitives() -> dict[str, Primitive]:
    """Return every primitive by name, in the order of the declarations.

    >>> primitives()["exp"].contract
    'Return e to the power of each value.'
    """
    declared: dict[str, Op] = {n: fn.op for n, fn in REGISTRY.items()}  # type: ignore[attr-defined]
    return {
        name: Primitive(
            name,
            op.fn.__module__.rpartition(".")[2],
            tuple(op.names),
            (inspect.getdoc(op.fn) or "").partition("\n\n")[0].replace("\n", " "),
            op.has_default,
        )
        for name, op in declared.items()
        if op.is_primitive
    }


def todo(backend: Backend) -> Todo:
    """Return what a backend lacks, what the most ops need first.

    Args:
        backend: The backend; its own kernels and those of plugins count.
    """
    required = {n: p for n, p in primitives().items() if not p.has_default}
    absent = required.keys() - backend.kernels.suppliers.keys()
    # An op that the backend has a kernel for needs none of its parts.
    needs = {
        op: frozenset() if op in backend.kernels.suppliers else parts & absent
        for op, parts in _parts_of_ops().items()
    }
    missing = [
        Missing(required[n], tuple(op for op, parts in needs.items() if n in parts))
        for n in absent
    ]
    order = list(required)
    missing.sort(key=lambda m: (-len(m.needed_by), order.index(m.primitive.name)))
    runnable = tuple(op for op, parts in needs.items() if not parts & absent)
    return Todo(tuple(missing), len(required), runnable, len(needs))


class _Recording(KernelTable):
    """The kernels of primitives alone, noting which are asked for."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> Kernel:
        self.asked.add(name)
        return super().__getitem__(name)


@cache
def _parts_of_ops() -> Mapping[str, frozenset[str]]:
    """Return for each op with a case the primitives that its first sample runs."""
    known = primitives()
    engine = copy.copy(get_backend(REFERENCE))
    table = engine.kernels = _Recording(engine)
    for name in set(table) - known.keys():
        del table[name]
    parts: dict[str, frozenset[str]] = {}
    with use_backend(engine), engine.step_scope():
        for op, case in all_cases().items():
            trial = Trial(case, case.samples[0], case.dtypes[0])
            tensors = trial.tensors()
            table.asked.clear()
            trial.run(tensors)
            parts[op] = frozenset(table.asked & known.keys())
    return parts
