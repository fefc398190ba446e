"""Compare one op on several engines, over a grid of shapes and dtypes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from polykeras import dtypes
from polykeras.backend import REFERENCE, Array, Backend, engine_scope
from polykeras.compare._engines import Recast, engine_named, engines_named
from polykeras.compare._environment import environment_of
from polykeras.compare._judging import REPLICAS, judged
from polykeras.compare._measures import Bound
from polykeras.compare._noise import Perturbed, allowance
from polykeras.compare._report import Item, Place, Report
from polykeras.errors import ArgumentError, PolykerasError, nearest

__all__ = ["compare_op", "shapes_of"]

# Names that layers and other libraries have for one op of any rank.
_ALIASES: Final = {f"conv{n}d": "conv" for n in (1, 2, 3)}


def shapes_of(text: str) -> list[tuple[int, ...]]:
    """Return the shapes written as ``"2x3,3x4"``; ``"()"`` is a scalar's.

    Raises:
        ArgumentError: If they are written otherwise.

    >>> shapes_of("2x3,()")
    [(2, 3), ()]
    """
    found = []
    for part in text.split(","):
        sizes = part.strip().strip("()")
        try:
            found.append(tuple(int(n) for n in sizes.split("x")) if sizes else ())
        except ValueError:
            raise ArgumentError(
                f"Expected shapes such as 2x3,3x4, one a tensor, got {text!r}."
            ) from None
    return found


def compare_op(
    name: str,
    *,
    backends: Sequence[str | Backend] | None = None,
    shapes: Sequence[tuple[int, ...]] = (),
    dtypes_tried: Sequence[str] = ("float32",),
    reference: str | Backend = f"{REFERENCE}:float64",
    seed: int = 0,
) -> Report:
    """Run an op on the sample calls of the conformance suite and compare the results.

    Args:
        name: The name of the op in `polykeras.ops`.
        backends: The engines; None means all backends that are installed.
        shapes: Shapes in place of those of the samples, one a tensor; samples with
            another number of tensors are left out.
        dtypes_tried: The dtypes of the tensors.
        reference: The engine that errors are measured against.
        seed: Of the values.

    Raises:
        ArgumentError: If there is no such op, dtype, or sample for the shapes, no
            backend, or one twice.
        ModuleNotFoundError: If SciPy, which the suite needs, is not installed.
    """
    from polykeras.conformance._samples import real
    from polykeras.conformance.cases import all_cases  # needs SciPy

    cases = all_cases()
    found = _ALIASES.get(name, name)
    if found not in cases:
        raise ArgumentError(f"There is no op {name!r}. {nearest(name, cases)}")
    case = cases[found]
    for dtype in dtypes_tried:
        if dtype not in dtypes.ALL:
            raise ArgumentError(
                f"Unknown dtype {dtype!r}. {nearest(dtype, dtypes.ALL)}"
            )
    samples = list(case.samples)
    if shapes:
        fitting = [s for s in samples if len(s.draws) == len(shapes)]
        if not fitting:
            counts = sorted({len(s.draws) for s in samples})
            raise ArgumentError(
                f"{name!r} takes {' or '.join(map(str, counts))} tensors here, but "
                f"{len(shapes)} shapes were given."
            )
        samples = [_reshaped(fitting[0], shapes, real)]
    engines = engines_named(backends)
    right = engine_named(reference)
    report = Report(f"op {name}", right.name, [e.name for e in engines])
    report.environment = environment_of(engines, seed=seed)
    for sample in samples:
        for dtype in dtypes_tried:
            arrays = sample.values(dtype, seed)
            grid = _Call(case, sample, dtype, arrays)
            report.items += grid.items(engines, right, seed)
    return report


def _reshaped(sample: Any, shapes: Sequence[tuple[int, ...]], real: Any) -> Any:
    left = iter(shapes)
    draws = [
        real(*shape) if draw.dtype is None else replace(draw, shape=shape)
        for draw, shape in zip(sample.draws, left, strict=True)
    ]
    args, kwargs = sample.filled(draws)
    return replace(sample, args=args, kwargs=kwargs, note="")


class _Call:
    """One sample call in one dtype."""

    def __init__(self, case: Any, sample: Any, dtype: str, arrays: list[Array]) -> None:
        from polykeras.conformance._case import Trial

        self.trial = Trial(case, sample, dtype)
        self.arrays = arrays
        self.kinds = [draw.dtype or dtype for draw in sample.draws]
        self.dtype = dtype

    def _on(self, engine: Backend) -> list[tuple[Array, str]]:
        with engine_scope(engine), engine.step_scope(), np.errstate(all="ignore"):
            tensors = [
                engine.from_numpy(x, kind)
                for x, kind in zip(self.arrays, self.kinds, strict=True)
            ]
            return [
                (np.array(engine.to_numpy(y)), engine.dtype_name(y))
                for y in self.trial.run(tensors)
                if engine.is_tensor(y)
            ]

    def items(
        self, engines: Sequence[Backend], reference: Backend, seed: int
    ) -> list[Item]:
        expected = self._on(reference)
        inner = reference.inner if isinstance(reference, Recast) else reference
        bounds = [Bound() for _ in expected]
        nominal = self.dtype if dtypes.is_float(self.dtype) else "float32"
        for number in range(REPLICAS):
            perturbed = Perturbed(inner, nominal, seed + number)
            for bound, (y, _), (want, _) in zip(
                bounds, self._on(perturbed), expected, strict=True
            ):
                bound.widen(y, want)
        return [
            item
            for engine in engines
            for item in self._compared(engine, expected, bounds)
        ]

    def _compared(
        self,
        engine: Backend,
        expected: list[tuple[Array, str]],
        bounds: list[Bound],
    ) -> list[Item]:
        op = self.trial.case.op
        place = Place(
            kind="op",
            name=str(self.trial),
            cls=op,
            engine=engine.name,
            against="the reference",
            mode="value",
            dtype=self.dtype,
            shape=(),
        )
        try:
            found = self._on(engine)
        except PolykerasError as error:
            return [Item.missing(place, str(error))]
        items = []
        for (y, dtype), (want, _), bound in zip(found, expected, bounds, strict=True):
            ran = judged(y, want, dtype, bound)
            if ran.bound:
                ran = replace(ran, why=allowance(op))
            items.append(Item.judged(replace(place, dtype=dtype, shape=y.shape), ran))
        return items
