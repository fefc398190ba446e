"""Judge what the layers of an engine gave, and look into those that differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from polykeras import dtypes
from polykeras.backend import Array, Backend
from polykeras.compare._calls import Call
from polykeras.compare._engines import rounding_of
from polykeras.compare._judging import (
    LAYER_REPLICAS,
    Judged,
    judged,
    judged_together,
)
from polykeras.compare._pairs import Pairs
from polykeras.compare._report import Item, Place
from polykeras.compare._watchers import Outcome, Spreader

if TYPE_CHECKING:
    from polykeras.compare._run import Comparison

__all__ = ["Looker"]


class Looker:
    """Judges what the layers of one engine gave in one mode.

    Args:
        comparison: The model with its data.
        engine: The engine.
        calls: What the layers gave on the reference, with bounds.
        mode: ``"inference"`` or ``"training"``.
        pairs: Gets the outputs, to compare engines with each other.

    Attributes:
        items: The result.
    """

    def __init__(
        self,
        comparison: Comparison,
        engine: Backend,
        calls: dict[tuple[str, int], Call],
        mode: str,
        pairs: Pairs,
    ) -> None:
        """Start with the bounds that are known."""
        self.items: list[Item] = []
        self._pairs = pairs
        self._comparison = comparison
        self._engine = engine
        self._calls = calls
        self._mode = mode
        self._rest_is_bounded = False

    def tell(self, outcome: Outcome) -> None:
        """Judge the outputs of one call."""
        for i, value in enumerate(outcome.outputs):
            if value is not None and outcome.call.outputs[i] is not None:
                item = self._item(outcome, i)
                self.items.append(item)
                self._comparison.sink(item, value)
                # Others do in training what they did in inference.
                if self._mode == "inference" or outcome.call.by_itself:
                    self._pairs.add(item, value)

    def _item(self, outcome: Outcome, number: int) -> Item:
        """Return the item about one output of a layer."""
        call, dtype = outcome.call, outcome.dtypes[number]
        found, want = outcome.outputs[number], call.outputs[number]
        assert found is not None  # the caller pairs tensors
        assert want is not None
        values, bounds = [found], [call.bounds[number]]
        alone = _at(outcome.alone, number)
        if alone is not None:
            values.append(alone)
            bounds.append(call.local[number])
        as_run, *by_itself = judged_together(values, want, dtype, bounds)
        own = by_itself[0] if by_itself else None
        if as_run.bad and not outcome.alone and outcome.again is not None:
            self._bound_rest()
            outcome.alone, outcome.fed = outcome.again(self._engine)
            alone = _at(outcome.alone, number)
            if alone is not None:
                own = judged(alone, want, dtype, call.local[number])
        if number == 0 and outcome.fed:
            own = max([own or as_run, *_judged_fed(outcome)], key=lambda j: j.rank)
        place = Place(
            kind="layer",
            name=call.name if number == 0 else f"{call.name}:{number}",
            cls=call.cls,
            engine=self._engine.name,
            against=self._comparison.reference.name,
            mode=self._mode,
            dtype=dtype,
            shape=found.shape,
        )
        item = Item.judged(place, as_run, own)
        if number == 0 and outcome.curve is not None:
            item = replace(item, curve=outcome.curve)
        if item.consistent or outcome.again is None:
            return item
        audit = self._comparison._audit(self._engine)
        outcome.again(audit)
        return replace(item, ops=audit.findings)

    def _bound_rest(self) -> None:
        """Widen the bounds of the layers that are usually not run alone."""
        if not self._rest_is_bounded:
            self._rest_is_bounded = True
            subject = self._comparison.subject
            rounding = rounding_of(self._engine)
            for engine in subject.perturbed(rounding, LAYER_REPLICAS):
                subject.forward(Spreader(engine, self._calls, rest=True), self._mode)


def _at(values: list[Array | None], number: int) -> Array | None:
    return values[number] if number < len(values) else None


def _judged_fed(outcome: Outcome) -> Iterator[Judged]:
    """Judge what a layer by itself gave to the layers inside."""
    for inner, inputs in outcome.fed:
        if len(inputs) != len(inner.inputs):
            continue
        for x, want, bound in zip(inputs, inner.inputs, inner.fed, strict=True):
            if x is not None and want is not None:
                dtype = dtypes.standardize_dtype(x.dtype)
                found = judged(x, want, dtype, bound)
                if found.bad:
                    yield replace(found, why=f"the input of {inner.name}; {found.why}")
