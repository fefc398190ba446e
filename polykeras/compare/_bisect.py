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
from polykeras.ops._pullbacks import give_rule
from polykeras.ops._registry import REGISTRY

if TYPE_CHECKING:
    from polykeras.compare._run import Comparison

__all__ = ["Substituted", "bisect", "bisect_gradients", "smallest_set"]


class Substituted(Delegate):
    """An engine some of whose ops run on the reference.

    Attributes:
        used: The ops that were called, in order.

    Args:
        inner: The engine.
        reference: What runs the ops.
        replaced: Their names.
        derivatives: Whether an engine that differentiates by itself is to take the
            rules of polykeras for these ops, too.
    """

    def __init__(
        self,
        inner: Backend,
        reference: Backend,
        replaced: frozenset[str],
        *,
        derivatives: bool = False,
    ) -> None:
        """Start without calls."""
        self.reference = reference
        self.replaced = replaced
        self.derivatives = derivatives and inner.capabilities.autodiff == "native"
        self.used: dict[str, None] = {}
        super().__init__(inner, inner.name)

    def kernel_for(self, name: str, kernel: Kernel) -> Kernel:
        """Return the engine's kernel or one that asks the reference."""
        operation = REGISTRY[name].op  # type: ignore[attr-defined]

        def run(*args: Any) -> Any:
            leaves = tree.flatten(list(args))
            if name.startswith("random_") or any(
                isinstance(x, Traced) or callable(x) for x in leaves
            ):
                return kernel(*args)
            self.used[name] = None
            values = [x for x in leaves if self.inner.is_tensor(x)]
            if name in self.replaced and all(map(self.inner.is_concrete, values)):
                return self._asked(name, kernel, args)
            return kernel(*args)

        if not (self.derivatives and name in self.replaced):
            return run
        if operation.vjp_rules:
            return give_rule(self.inner, name, run)
        return run if operation.is_primitive else operation.fn  # type: ignore[no-any-return]

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

    return _guilty(used, is_right)


def bisect_gradients(comparison: Comparison, engine: Backend) -> list[str] | None:
    """Return the ops that make the gradients of the first training step wrong.

    Args:
        comparison: The model with its data.
        engine: The engine. One that differentiates by itself takes the rules of
            polykeras for the ops that are replaced.

    Returns:
        As of `bisect`.
    """
    subject = comparison.subject
    trained = comparison.trained(engine, 1)
    used: dict[str, None] = {}

    def is_right(replaced: frozenset[str]) -> bool:
        mixed = Substituted(engine, comparison.reference, replaced, derivatives=True)
        steps = subject.train(mixed, 1, keep=lambda x: x, beside=trained.exact)
        used.update(mixed.used)
        items = trained.items(mixed, steps)
        return all(i.consistent for i in items if i.kind == "gradient")

    return _guilty(used, is_right)


def _guilty(
    used: dict[str, None], is_right: Callable[[frozenset[str]], bool]
) -> list[str] | None:
    return [] if is_right(frozenset()) else smallest_set(list(used), is_right)


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
