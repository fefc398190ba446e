"""Compare training: gradients and updates of the first step, then the whole run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from polykeras.backend import Array, Backend
from polykeras.compare._judging import Judged, judged
from polykeras.compare._measures import SPREADS, Bound
from polykeras.compare._report import Item
from polykeras.compare._training import Steps, Track
from polykeras.precision import epsilon_of

__all__ = ["TrainedReference"]


@dataclass
class TrainedReference:
    """The reference's training run with the perturbed ones beside it.

    Args:
        name: The name of the reference.
        exact: Its steps.
        replicas: Those of perturbed references.
        dtype: The dtype that the engines compute in.
        updates: How far the perturbed optimizer moves weights by right gradients.
    """

    name: str
    exact: Steps
    replicas: Sequence[Steps]
    dtype: str
    updates: dict[str, Array]

    def items(self, engine: Backend, steps: Steps) -> list[Item]:
        """Compare the steps of an engine."""
        found = []
        for kind, of in (("gradient", _gradients), ("update", _updates)):
            for path, expected in of(self.exact).items():
                found.append(self._array_item(kind, path, expected, engine, steps, of))
        pooled = Bound()
        for number, want in enumerate(self.exact.losses):
            expected = np.asarray(want)
            for replica in self.replicas:
                pooled.widen(np.asarray(replica.losses[number]), expected)
            verdict = judged(
                np.asarray(steps.losses[number]), expected, self.dtype, pooled
            )
            found.append(
                self._item("loss", f"step {number + 1}", "", engine, (), verdict)
            )
        return found

    def _array_item(
        self,
        kind: str,
        path: str,
        expected: Array,
        engine: Backend,
        steps: Steps,
        of: Callable[[Steps], dict[str, Array]],
    ) -> Item:
        bound = Bound()
        for replica in self.replicas:
            if path in of(replica):
                bound.widen(of(replica)[path], expected)
        if kind == "update" and path in self.updates:
            bound.widen(self.updates[path], expected)
        value = of(steps).get(path)
        dtype = steps.dtypes.get(path, self.dtype)
        if value is None:
            value = np.full((0,), np.nan)
        return self._item(
            kind,
            path,
            dtype,
            engine,
            expected.shape,
            judged(value, expected, dtype, bound),
        )

    def _item(
        self,
        kind: str,
        name: str,
        dtype: str,
        engine: Backend,
        shape: tuple[int, ...],
        found: Judged,
    ) -> Item:
        return Item.judged(
            found,
            kind=kind,
            name=name,
            cls="weight" if kind != "loss" else "loss",
            engine=engine.name,
            against=self.name,
            mode="training",
            dtype=dtype or self.dtype,
            shape=shape,
        )

    def track(self, engine: Backend, steps: Steps, near: Steps | None) -> Track:
        """Return the run of an engine beside the reference's.

        Args:
            engine: The engine.
            steps: Its steps.
            near: Its steps from weights one unit of the last place away, None if
                there is a single step.
        """
        spreads = [r.distances for r in self.replicas]
        # Weights are stored in the dtype: half a unit of the last place.
        stored = epsilon_of(self.dtype) / 2
        bounds = [SPREADS * max(s) + stored for s in zip(*spreads, strict=True)]
        apart = [i for i, d in enumerate(steps.distances) if not d <= bounds[i]]
        return Track(
            engine=engine.name,
            losses=steps.losses,
            reference_losses=self.exact.losses,
            distances=steps.distances,
            bounds=bounds,
            yardstick=[] if near is None else near.distances,
            parted=apart[0] + 1 if apart else None,
        )


def _gradients(steps: Steps) -> dict[str, Array]:
    return steps.gradients


def _updates(steps: Steps) -> dict[str, Array]:
    return steps.updates
