"""Check each op that an engine runs against the reference, on the arguments it gets.

An `Audit` stands in for an engine while a layer runs that came out wrong. Whatever
kernel is called, the reference is given the same arguments, in 64 bits, and the
results are compared with the bound of that op alone. So the guilty op is named, and
those that work on its results are not. Compositions are followed into their parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from polykeras import autodiff, dtypes, tree
from polykeras.backend import Array, Backend, Kernel, engine_scope
from polykeras.compare._engines import Delegate
from polykeras.compare._hints import hint_for
from polykeras.compare._judging import Judged, judged
from polykeras.compare._measures import Bound, Measure, Verdict
from polykeras.compare._noise import Perturbed, allowance
from polykeras.errors import PolykerasError
from polykeras.ops._operands import Traced
from polykeras.ops._registry import REGISTRY

__all__ = ["Audit", "Finding"]

# They take functions, whose ops are audited one by one.
_CONTROL: Final = frozenset(
    ("cond", "while_loop", "scan", "switch", "fori_loop", "map", "vectorized_map")
)


@dataclass(frozen=True)
class Finding:
    """An op that is not as the reference has it.

    Args:
        op: Its name.
        of: ``"value"`` or ``"gradient"``.
        shapes: The shapes of its tensors.
        dtype: The dtype of the result.
        error: How far it is off.
        bound: The largest that is rounding.
        verdict: What it is.
        why: Where the bound comes from.
        hint: The likely cause, where one is known.
        command: What reproduces the op in isolation.
    """

    op: str
    of: str
    shapes: tuple[tuple[int, ...], ...]
    dtype: str
    error: Measure
    bound: float
    verdict: Verdict
    why: str
    hint: str
    command: str

    def __str__(self) -> str:
        shapes = " ".join("x".join(map(str, s)) or "()" for s in self.shapes)
        what = f"{self.of} of op {self.op!r} on {shapes} ({self.dtype})"
        hint = f" {self.hint}." if self.hint else ""
        return (
            f"the {what} is {self.verdict}: error {self.error.max_abs:.3g}, rounding "
            f"explains {self.bound:.3g}.{hint} Reproduce: {self.command}"
        )


class Audit(Delegate):
    """An engine whose every op is compared with the reference.

    Attributes:
        findings: The ops that rounding does not explain, worst first.

    Args:
        inner: The engine.
        reference: What is right.
        perturbed: References that err as much as they may.
        gradients: Whether to compare derivatives rather than values.
    """

    def __init__(
        self,
        inner: Backend,
        reference: Backend,
        perturbed: Sequence[Perturbed],
        *,
        gradients: bool = False,
    ) -> None:
        """Start without findings."""
        self.reference = reference
        self.perturbed = perturbed
        self.gradients = gradients
        self._guilty = 0
        self._found: dict[tuple[Any, ...], tuple[tuple[int, float], Finding]] = {}
        super().__init__(inner, inner.name)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The ops that rounding does not explain, worst first."""
        ranked = sorted(self._found.values(), key=lambda pair: pair[0], reverse=True)
        return tuple(finding for _, finding in ranked)

    def kernel_for(self, name: str, kernel: Kernel) -> Kernel:
        """Return a kernel whose results are compared."""
        if name in _CONTROL or name.startswith("random_"):
            return kernel

        def audited(*args: Any) -> Any:
            if not self._is_concrete(args):
                return kernel(*args)
            # Before the call: kernels may overwrite what was given up to them.
            given = [self._plain(a) for a in args]
            before = self._guilty
            result = kernel(*args)
            if self._guilty > before:
                # Some op inside is to blame for this one.
                return result
            if self.gradients:
                self._compare_gradients(name, given)
            else:
                self._compare_values(name, given, result)
            return result

        return audited

    def _is_concrete(self, args: tuple[Any, ...]) -> bool:
        return all(
            not isinstance(x, Traced)
            and not (self.inner.is_tensor(x) and not self.inner.is_concrete(x))
            and not callable(x)
            for x in tree.flatten(list(args))
        )

    def _plain(self, argument: Any) -> Any:
        """Return an argument with arrays and their dtypes in place of tensors."""
        return tree.map_leaves(
            lambda x: (
                _Held(np.array(self.inner.to_numpy(x)), self.inner.dtype_name(x))
                if self.inner.is_tensor(x)
                else x
            ),
            argument,
        )

    # -- values ----------------------------------------------------------------

    def _compare_values(self, name: str, given: list[Any], result: Any) -> None:
        leaves = [y for y in tree.flatten(result) if self.inner.is_tensor(y)]
        try:
            expected = _run(self.reference, name, given)
            spread = [_run(e, name, given) for e in self.perturbed]
        except PolykerasError:
            # The reference refuses what the engine takes: nothing to compare with.
            return
        for i, y in enumerate(leaves):
            if i >= len(expected):
                break
            bound = Bound()
            for other in spread:
                bound.widen(other[i], expected[i])
            found = np.array(self.inner.to_numpy(y))
            dtype = self.inner.dtype_name(y)
            self._note(name, "value", given, found, expected, i, dtype, bound)

    # -- derivatives -----------------------------------------------------------

    def _compare_gradients(self, name: str, given: list[Any]) -> None:
        operation = REGISTRY[name].op  # type: ignore[attr-defined]
        if not operation.differentiable:
            return
        places = [
            i
            for i, a in enumerate(given)
            if isinstance(a, _Held) and dtypes.is_float(a.dtype)
        ]
        if not places:
            return
        try:
            expected = _pullback(self.reference, name, given, places)
            spread = [_pullback(e, name, given, places) for e in self.perturbed]
            found = _pullback(self.inner, name, given, places)
        except PolykerasError:
            return
        for i, place in enumerate(places):
            bound = Bound()
            for other in spread:
                bound.widen(other[i], expected[i])
            dtype = given[place].dtype
            self._note(name, "gradient", given, found[i], expected, i, dtype, bound)

    def _note(
        self,
        name: str,
        of: str,
        given: list[Any],
        found: Array,
        expected: list[Array],
        number: int,
        dtype: str,
        bound: Bound,
    ) -> None:
        outcome: Judged = judged(found, expected[number], dtype, bound)
        if not outcome.bad:
            return
        self._guilty += 1
        shapes = tuple(
            x.value.shape for x in tree.flatten(given) if isinstance(x, _Held)
        )
        key = (name, of, number)
        hint = ""
        if of == "value":

            def variant(args: list[Any]) -> Array:
                return _run(self.reference, name, args)[number]

            hint = hint_for(name, given, found, expected[number], variant)
            kernel = self._hint_at_kernel(
                name, given, number, expected[number], dtype, bound
            )
            hint = ". ".join(filter(None, (hint, kernel)))
        command = f"polykeras compare op {name} --backends {self.inner.name}"
        finding = Finding(
            op=name,
            of=of,
            shapes=shapes,
            dtype=dtype,
            error=outcome.error,
            bound=outcome.bound,
            verdict=outcome.verdict,
            why=allowance(name),
            hint=hint,
            command=command,
        )
        held = self._found.get(key)
        if held is None or held[0] < outcome.rank:
            self._found[key] = (outcome.rank, finding)

    def _hint_at_kernel(
        self,
        name: str,
        given: list[Any],
        number: int,
        expected: Array,
        dtype: str,
        bound: Bound,
    ) -> str:
        """Say whose kernel the op has, if that may be the cause."""
        engine = self.inner
        supplier = engine.kernels.suppliers.get(name) or engine.distribution
        if supplier != engine.distribution:
            return f"Its kernel is that of {supplier}: compare with {engine.name}:own"
        operation = REGISTRY[name].op  # type: ignore[attr-defined]
        if not operation.has_default or operation.is_primitive:
            return ""
        try:
            parts = _run(engine, name, given, operation.fn)[number]
        except PolykerasError:
            return ""
        if judged(parts, expected, dtype, bound).bad:
            return ""
        return (
            f"Its parts are right, so it is the fused kernel: {engine.name}:primitives"
        )


@dataclass
class _Held:
    """A tensor as an array, with the dtype that it has on the engine."""

    value: Array
    dtype: str

    def on(self, engine: Backend) -> Any:
        """Return it as a tensor."""
        return engine.from_numpy(self.value, self.dtype)


def _on(engine: Backend, argument: Any) -> Any:
    return tree.map_leaves(
        lambda x: x.on(engine) if isinstance(x, _Held) else x, argument
    )


def _run(
    engine: Backend,
    name: str,
    given: list[Any],
    parts: Callable[..., Any] | None = None,
) -> list[Array]:
    """Run an op, or its parts, on an engine and return its results as arrays."""
    operation = REGISTRY[name].op  # type: ignore[attr-defined]
    with engine_scope(engine), engine.step_scope(), np.errstate(all="ignore"):
        args = [_on(engine, a) for a in given]
        if parts is None:
            result = operation.run(engine, args, canonical=True)
        else:
            result = parts(*args)
        return [
            np.array(engine.to_numpy(y))
            for y in tree.flatten(result)
            if engine.is_tensor(y)
        ]


def _pullback(
    engine: Backend, name: str, given: list[Any], places: list[int]
) -> list[Array]:
    """Return the gradients of a fixed weighted sum of an op's results."""
    operation = REGISTRY[name].op  # type: ignore[attr-defined]
    with engine_scope(engine), engine.step_scope(), np.errstate(all="ignore"):
        args = [_on(engine, a) for a in given]
        slope: Callable[..., Any] = autodiff.grad(
            _weighted(engine, operation, args, places),
            argnums=tuple(range(len(places))),
        )
        found = slope(*[args[i] for i in places])
        return [np.array(engine.to_numpy(g)) for g in found]


def _weighted(
    engine: Backend, operation: Any, args: list[Any], places: list[int]
) -> Callable[..., Any]:
    def weighted(*tensors: Any) -> Any:
        filled = list(args)
        for place, x in zip(places, tensors, strict=True):
            filled[place] = x
        total: Any = None
        for y in tree.flatten(operation.run(engine, filled, canonical=True)):
            shape = tuple(y.shape)
            cosines = np.cos(np.arange(int(np.prod(shape)), dtype="float32"))
            weight = engine.from_numpy(cosines.reshape(shape), "float32")
            term = REGISTRY["sum"](REGISTRY["multiply"](y, weight))
            total = term if total is None else REGISTRY["add"](total, term)
        return total

    return weighted
