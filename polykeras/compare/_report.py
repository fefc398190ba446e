"""`Report`: what was compared, how it came out, and where it first went wrong."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

from polykeras.compare._audit import Finding
from polykeras.compare._judging import Judged
from polykeras.compare._measures import VERDICTS, Measure, Verdict
from polykeras.compare._sequences import Curve
from polykeras.compare._training import Track

__all__ = ["SCHEMA", "Item", "Place", "Report"]

SCHEMA = 1
_BAD = ("suspicious", "wrong")


@dataclass(frozen=True)
class Place:
    """What is compared with what.

    Args:
        kind: ``"layer"``, ``"backward"`` (the derivative of a layer, only where
            gradients differ), ``"step"`` (ops outside of layers, likewise),
            ``"gradient"``, ``"update"``, ``"loss"`` or ``"op"``.
        name: The path of the layer, weight or op.
        cls: The class of the layer, the dtype of the weight.
        engine: The engine that was compared.
        against: What it was compared with: the reference or another engine.
        mode: ``"inference"`` or ``"training"``.
        dtype: The dtype of the result.
        shape: Its shape.
    """

    kind: str
    name: str
    cls: str
    engine: str
    against: str
    mode: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Item(Place):
    """One comparison: an output of a layer, a gradient, a weight after a step.

    Args:
        error: As the model ran: the errors of what came before are in it.
        bound: The largest error that is rounding there.
        verdict: The verdict on the error; for a layer that was also run alone, on its
            own error.
        local: Of a layer, the error with the reference's inputs.
        local_bound: The largest local error that is rounding.
        accumulated: The verdict on the error as the model ran.
        why: Where the bound comes from, or why nothing could be compared.
        ops: The ops inside that rounding does not explain, worst first.
        curve: Of a recurrent layer, its errors at each step, in inference.
    """

    error: Measure | None
    bound: float
    verdict: Verdict
    local: Measure | None = None
    local_bound: float = 0.0
    accumulated: Verdict = "rounding"
    why: str = ""
    ops: tuple[Finding, ...] = ()
    curve: Curve | None = None

    @classmethod
    def judged(cls, place: Place, ran: Judged, alone: Judged | None = None) -> Item:
        """Return an item about what was judged.

        Args:
            place: What was compared.
            ran: What came out as the model ran.
            alone: The same of a layer that was run alone.
        """
        own = ran if alone is None else alone
        return cls(
            **vars(place),
            error=ran.error,
            bound=ran.bound,
            verdict=own.verdict,
            local=None if alone is None else alone.error,
            local_bound=0.0 if alone is None else alone.bound,
            accumulated=ran.verdict,
            why=own.why,
        )

    @classmethod
    def missing(cls, place: Place, why: str) -> Item:
        """Return an item about what could not be compared.

        Args:
            place: What was to be compared.
            why: The reason.
        """
        return cls(
            **vars(place), error=None, bound=0.0, verdict="not comparable", why=why
        )

    @classmethod
    def blamed(cls, place: Place, findings: tuple[Finding, ...]) -> Item:
        """Return an item about ops, of which the first is the worst.

        Args:
            place: Where they run.
            findings: The ops.
        """
        worst = findings[0]
        ran = Judged(worst.error, worst.bound, worst.verdict, worst.why)
        return replace(cls.judged(place, ran), ops=findings)

    @property
    def consistent(self) -> bool:
        """Whether rounding explains the error."""
        return self.verdict not in _BAD

    @property
    def excess(self) -> float:
        """The error in units of the bound, by which items are sorted."""
        if self.error is None or self.verdict in ("identical bits", "not comparable"):
            return 0.0
        error, bound = self.error, self.bound
        if self.local is not None:
            error, bound = self.local, self.local_bound
        if error.nonfinite and self.verdict == "wrong":
            return float("inf")
        if not bound:
            return float("inf") if error.max_abs else 0.0
        return error.max_abs / bound

    def sentence(self) -> str:
        """Say in one sentence what differs."""
        what = f"{self.kind} {self.name!r} ({self.cls}, {self.mode}) on {self.engine}"
        if self.error is None:
            return f"{what} could not be compared: {self.why}"
        error, bound = self.error, self.bound
        if self.local is not None:
            error, bound = self.local, self.local_bound
        ops = f"; {self.ops[0]}" if self.ops else ""
        if self.curve is not None:
            ops = f"; {self.curve}{ops}"
        if self.kind in ("backward", "step"):
            return f"{what} is {self.verdict}{ops}"
        if error.nonfinite:
            return (
                f"{what} is {self.verdict}: {error.nonfinite} of {error.size} entries "
                f"are NaN or infinite on one side only, first at {error.positions[0]}"
                f"{ops}"
            )
        return (
            f"{what} is {self.verdict}: its error is {error.max_abs:.3g} "
            f"({error.max_rel:.2g} of the largest entry), rounding explains "
            f"{bound:.3g}{ops}"
        )


@dataclass
class Report:
    """The result of a comparison.

    Args:
        model: The name of the model.
        reference: The name of the reference.
        engines: The names of the engines compared.
        items: All comparisons, in the order of the model.
        trajectory: The training runs, one an engine.
        pairs: The outputs of layers of each two engines, as the model ran.
        environment: Versions, devices, dtypes, seeds.
        edges: Which call of a layer feeds which, where the model is a graph.
    """

    model: str
    reference: str
    engines: list[str]
    items: list[Item] = field(default_factory=list)
    trajectory: list[Track] = field(default_factory=list)
    pairs: list[Item] = field(default_factory=list)
    environment: dict[str, Any] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Item]:
        """Return the items of one kind."""
        return [item for item in self.items if item.kind == kind]

    @property
    def layers(self) -> list[Item]:
        """The outputs of layers, in the order in which the calls end."""
        return self.of_kind("layer")

    @property
    def gradients(self) -> list[Item]:
        """The gradients of the weights."""
        return self.of_kind("gradient")

    @property
    def consistent(self) -> bool:
        """Whether rounding explains every difference."""
        items = all(item.consistent for item in self.items)
        return items and all(track.parted is None for track in self.trajectory)

    @property
    def compared(self) -> bool:
        """Whether anything could be compared."""
        return any(item.error is not None for item in self.items)

    @property
    def first_divergence(self) -> Item | None:
        """The first item that rounding does not explain, or None."""
        return next((item for item in self.items if not item.consistent), None)

    @property
    def worst(self) -> Verdict:
        """The worst verdict among the items that could be compared."""
        found = {item.verdict for item in self.items} - {"not comparable"}
        return max(found, key=VERDICTS.index, default="identical bits")

    def counts(self, engine: str, kind: str) -> dict[str, int]:
        """Return how many items of an engine got each verdict."""
        return dict(
            Counter(
                item.verdict
                for item in self.items
                if item.engine == engine and item.kind == kind
            )
        )

    def worst_pairs(self) -> list[Item]:
        """Return, for each two engines, the output that is furthest apart."""
        found: dict[tuple[str, str], Item] = {}
        for item in self.pairs:
            key = item.against, item.engine
            if key not in found or item.excess > found[key].excess:
                found[key] = item
        return list(found.values())

    def to_frame(self) -> Any:
        """Return the items as a pandas data frame, one row each.

        Raises:
            ImportError: If pandas is not installed.
        """
        import pandas as pd

        rows = []
        for item in self.items:
            data = asdict(item)
            for name in ("error", "local"):
                found = data.pop(name) or {}
                data |= {f"{name}_{k}": v for k, v in found.items()}
            ops = ", ".join(finding.op for finding in item.ops)
            rows.append({**data, "excess": item.excess, "ops": ops})
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        from polykeras.compare._text import html_of

        return html_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data; docs/compare.md describes it."""
        first = self.first_divergence
        return {
            "schema": SCHEMA,
            "model": self.model,
            "reference": self.reference,
            "engines": self.engines,
            "consistent": self.consistent,
            "verdict": self.worst,
            "first_divergence": None if first is None else first.sentence(),
            "environment": self.environment,
            "edges": self.edges,
            "trajectory": [
                {**asdict(track), "explained": track.explained}
                for track in self.trajectory
            ],
            "pairs": [asdict(item) for item in self.pairs],
            "items": [{**asdict(item), "excess": item.excess} for item in self.items],
        }

    def write_json(self, path: str | PathLike[str]) -> None:
        """Write the report as JSON; infinities become strings.

        Args:
            path: The file, which is replaced.
        """
        text = json.dumps(_plain(self.to_dict()), indent=1)
        Path(path).write_text(text, encoding="utf-8")

    def write_html(self, path: str | PathLike[str]) -> None:
        """Write the report as one self-contained page.

        Args:
            path: The file, which is replaced.

        Raises:
            PolykerasError: If Jinja is not installed.
        """
        from polykeras.compare._page import page

        Path(path).write_text(page(self), encoding="utf-8")

    def __str__(self) -> str:
        from polykeras.compare._text import text_of

        return text_of(self)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
