"""Find the ops that make an engine differ: replace its kernels by the reference's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from polykeras import dtypes, tree
from polykeras.backend import Backend, Kernel, engine_scope
from polykeras.compare._engines import Delegate
from polykeras.compare._judging import judged
from polykeras.ops._operands import Traced
from polykeras.ops._registry import REGISTRY

if TYPE_CHECKING:
    from polykeras.compare._run import Comparison

__all__ = ["Substituted", "bisect", "smallest_set"]


class Substituted(Delegate):
    """An engine some of whose ops run on the reference.

    Attributes:
        used: The ops that were called, in order.

    Args:
        inner: The engine.
        reference: What runs the ops.
        replaced: Their names.
    """

    def __init__(
        self, inner: Backend, reference: Backend, replaced: frozenset[str]
    ) -> None:
        """Start without calls."""
        self.reference = reference
        self.replaced = replaced
        self.used: dict[str, None] = {}
        super().__init__(inner, inner.name)

    def kernel_for(self, name: str, kernel: Kernel) -> Kernel:
        """Return the engine's kernel or one that asks the reference."""

        def run(*args: Any) -> Any:
            values = [x for x in tree.flatten(list(args)) if self.inner.is_tensor(x)]
            numbers = all(self.inner.is_concrete(x) for x in values)
            if any(isinstance(x, Traced) or callable(x) for x in tree.flatten(args)):
                numbers = False
            if numbers and not name.startswith("random_"):
                self.used[name] = None
                if name in self.replaced:
                    return self._asked(name, kernel, args)
            return kernel(*args)

        return run

    def _asked(self, name: str, kernel: Kernel, args: tuple[Any, ...]) -> Any:
        """Run an op on the reference; the engine says the dtypes of the results."""
        own = kernel(*args)
        operation = REGISTRY[name].op  # type: ignore[attr-defined]
        with engine_scope(self.reference), np.errstate(all="ignore"):
            found = operation.run(
                self.reference,
                [tree.map_leaves(self._lent, a) for a in args],
                canonical=True,
            )

        def back(mine: Any, theirs: Any) -> Any:
            if not self.inner.is_tensor(mine):
                return mine
            name = self.inner.dtype_name(mine)
            values = self.reference.to_numpy(theirs)
            with np.errstate(all="ignore"):
                narrow = np.asarray(values).astype(dtypes.as_numpy_dtype(name))
            return self.inner.from_numpy(narrow, name)

        return tree.map_leaves(back, own, found)

    def _lent(self, x: Any) -> Any:
        if not self.inner.is_tensor(x):
            return x
        return self.reference.from_numpy(
            self.inner.to_numpy(x), self.inner.dtype_name(x)
        )


def bisect(comparison: Comparison, engine: Backend) -> list[str] | None:
    """Return the ops that make the outputs of a model wrong on an engine.

    Each run of the model replaces the kernels of some ops by the reference's.

    Args:
        comparison: The model with its data.
        engine: The engine.

    Returns:
        A set of ops of which each has to be replaced; empty if the outputs are right
        as they are, None if the ops do not explain the difference.
    """
    call = comparison.recorded(engine)[-1]
    wanted = [x for x in call.outputs if x is not None]
    used: dict[str, None] = {}

    def is_right(replaced: frozenset[str]) -> bool:
        mixed = Substituted(engine, comparison.reference, replaced)
        outputs = comparison.subject.outputs(mixed)
        used.update(mixed.used)
        pairs = zip(outputs, wanted, call.bounds, strict=False)
        return not any(judged(x, want, d, bound).bad for (x, d), want, bound in pairs)

    if is_right(frozenset()):
        return []
    return smallest_set(list(used), is_right)


def smallest_set(
    ops: list[str], is_right: Callable[[frozenset[str]], bool]
) -> list[str] | None:
    """Return a smallest set of ops that have to be replaced, None if none suffices.

    No op can be left out of it, though another set of the same kind may exist.

    Args:
        ops: The candidates.
        is_right: Whether the difference vanishes where a set of ops is replaced.

    >>> smallest_set(["a", "b", "c"], lambda replaced: "b" in replaced)
    ['b']
    """
    if is_right(frozenset()):
        return []
    if not is_right(frozenset(ops)):
        return None
    needed = list(ops)
    size = max(1, len(needed) // 2)
    while True:
        at = 0
        while at < len(needed):
            rest = needed[:at] + needed[at + size :]
            if is_right(frozenset(rest)):
                needed = rest
            else:
                at += size
        if size == 1:
            return needed
        size //= 2
