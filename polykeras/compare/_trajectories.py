"""Compare training: gradients and updates of the first step, then the whole run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np

from polykeras.backend import Array, Backend
from polykeras.compare._judging import Judged, judged, reconsidered
from polykeras.compare._measures import SPREADS, Bound
from polykeras.compare._report import Item, Place
from polykeras.compare._training import Steps, Track
from polykeras.precision import epsilon_of, smallest_normal

__all__ = ["TrainedReference"]

_HALVES: Final = 16
"""Down to 2^-15 of the error, which 16 bits hold no more beside the gradient."""
_COMPARABLE: Final = 4
"""Losses err alike if none errs less than the largest error over this."""


@dataclass
class TrainedReference:
    """The reference's training run with the perturbed ones beside it.

    Args:
        name: The name of the reference.
        exact: Its steps.
        replicas: Those of perturbed references.
        dtype: The dtype that the engines compute in.
        move: Lets optimizers move the weights by other gradients: takes the gradients
            of the first step by path, and returns what right optimizers may make of
            them, by path too; empty where the model has a step of its own.
        narrow: Whether squares of gradients may round to 0.
        further: More of them, each run as it is asked for.
    """

    name: str
    exact: Steps
    replicas: list[Steps]
    dtype: str
    move: Callable[[dict[str, Array]], Sequence[dict[str, Array]]]
    narrow: bool
    further: Iterator[Steps] = field(default_factory=lambda: iter(()))
    _bounds: dict[tuple[str, str], Bound] = field(default_factory=dict)

    @property
    def _overflows(self) -> bool:
        """Whether the dtype has less room than float32."""
        return smallest_normal(self.dtype) > smallest_normal("float32")

    @cached_property
    def reach(self) -> dict[str, Array]:
        """How far gradients that err within their bounds move each entry's update.

        An optimizer that divides a gradient by its size takes a whole step up or down
        where the gradient may have either sign. Perturbed references do so too, but
        each at entries of its own. Steps grow with the error of the gradient, so both
        ends of its range are looked at; not so where squares may round to 0, since a
        quotient is largest below that. There the range is halved again and again, and
        between two of these points a quotient grows at most twofold.
        """
        errors = {}
        for path, gradient in self.exact.gradients.items():
            bound = self._bound("gradient", path, gradient, _gradients)
            may_err = np.zeros(gradient.shape, bool)
            for replica in self.replicas:
                if path in replica.gradients:
                    may_err |= replica.gradients[path] != gradient
            ceiling = float(np.max(np.abs(gradient), initial=0.0))
            errors[path] = bound.allowed(ceiling, self.dtype) * may_err
        reach: dict[str, Array] = {}
        shares = 0.5 ** np.arange(_HALVES if self.narrow else 1)
        gradients = self.exact.gradients.items()
        for share in (0.0, *shares, *-shares):
            for moved in self.move({p: g + share * errors[p] for p, g in gradients}):
                for path, update in moved.items():
                    away = np.abs(update - self.exact.updates[path])
                    reach[path] = np.fmax(reach.get(path, 0.0), away)
        return {path: (1 + self.narrow) * away for path, away in reach.items()}

    def items(
        self, engine: Backend, steps: Steps, *, patient: bool = True
    ) -> list[Item]:
        """Compare the steps of an engine.

        Args:
            engine: The engine.
            steps: Its steps.
            patient: Whether to ask further perturbed references, for all engines to
                come too, before calling something wrong.
        """
        found = self._items(engine, steps)
        while patient and not all(i.consistent for i in found) and self._one_more():
            found = self._items(engine, steps)
        return found

    def _one_more(self) -> bool:
        """Return whether there was a further perturbed reference, which counts now."""
        replica = next(self.further, None)
        if replica is None:
            return False
        self.replicas.append(replica)
        # What moves of updates it adds is in its own updates, so `reach` stays.
        self._bounds.clear()
        return True

    def _items(self, engine: Backend, steps: Steps) -> list[Item]:
        found = []
        for kind, of in (("gradient", _gradients), ("update", _updates)):
            for path, expected in of(self.exact).items():
                found.append(self._array_item(kind, path, expected, engine, steps, of))
        pooled = Bound()
        errors: list[float] = []
        for number, want in enumerate(self.exact.losses):
            expected = np.asarray(want)
            for replica in self.replicas:
                pooled.widen(np.asarray(replica.losses[number]), expected)
                errors.append(abs(replica.losses[number] - want))
            # Where steps amplify errors, early ones do not tell of late ones.
            pooled.entries = sum(e >= pooled.spread / _COMPARABLE for e in errors)
            # Where rounding may change all of a loss, it may make numbers overflow.
            lost = self._overflows and pooled.allowed(abs(want), self.dtype) > abs(want)
            bound = replace(pooled, nonfinite=pooled.nonfinite or lost)
            verdict = judged(
                np.asarray(steps.losses[number]), expected, self.dtype, bound
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
        bound = self._bound(kind, path, expected, of)
        value = of(steps).get(path)
        dtype = steps.dtypes.get(path, self.dtype)
        if value is None:
            value = np.full((0,), np.nan)
        # The weight is stored, not how far it moved.
        ceiling = self.exact.ceilings[path] if kind == "update" else 0.0
        found = judged(value, expected, dtype, bound, ceiling)
        if kind == "update" and found.bad and path in self.reach:
            found = reconsidered(found, value, expected, self.reach[path])
        return self._item(kind, path, dtype, engine, expected.shape, found)

    def _bound(
        self,
        kind: str,
        path: str,
        expected: Array,
        of: Callable[[Steps], dict[str, Array]],
    ) -> Bound:
        """Return the bound of an array, which is that of all engines."""
        if (kind, path) not in self._bounds:
            bound = self._bounds[kind, path] = Bound()
            for replica in self.replicas:
                if path in of(replica):
                    bound.widen(of(replica)[path], expected)
        return self._bounds[kind, path]

    def _item(
        self,
        kind: str,
        name: str,
        dtype: str,
        engine: Backend,
        shape: tuple[int, ...],
        found: Judged,
    ) -> Item:
        place = Place(
            kind=kind,
            name=name,
            cls="weight" if kind != "loss" else "loss",
            engine=engine.name,
            against=self.name,
            mode="training",
            dtype=dtype or self.dtype,
            shape=shape,
        )
        return Item.judged(place, found)

    def track(
        self,
        engine: Backend,
        steps: Steps,
        near: Steps | None,
        *,
        patient: bool = True,
    ) -> Track:
        """Return the run of an engine beside the reference's.

        Args:
            engine: The engine.
            steps: Its steps.
            near: Its steps from weights one unit of the last place away, None if
                there is a single step.
            patient: As of `items`.
        """
        track = self._track(engine, steps, near)
        while patient and track.parted and self._one_more():
            track = self._track(engine, steps, near)
        return track

    def _track(self, engine: Backend, steps: Steps, near: Steps | None) -> Track:
        spreads = [r.distances for r in self.replicas]
        # Weights are stored in the dtype: half a unit of the last place.
        stored = epsilon_of(self.dtype) / 2
        # Where a perturbed run overflowed, rounding explains everything.
        bounds = [
            SPREADS * max(s) + stored if np.isfinite(s).all() else np.inf
            for s in zip(*spreads, strict=True)
        ]
        apart = self._beyond(steps.distances, bounds)
        if apart and self.reach:
            # Each step may move what the first may.
            norm = np.sqrt(sum(float(np.vdot(w, w)) for w in self.exact.weights[0]))
            reach = sum(float(np.vdot(r, r)) for r in self.reach.values())
            step = float(np.sqrt(reach) / norm) if norm else 0.0
            bounds = [b + step * (i + 1) for i, b in enumerate(bounds)]
            apart = self._beyond(steps.distances, bounds)
        return Track(
            engine=engine.name,
            losses=steps.losses,
            reference_losses=self.exact.losses,
            distances=steps.distances,
            bounds=bounds,
            yardstick=[] if near is None else near.distances,
            parted=apart[0] + 1 if apart else None,
        )

    def _beyond(self, distances: Sequence[float], bounds: Sequence[float]) -> list[int]:
        """Return the steps at which a distance is beyond its bound."""

        def is_within(distance: float, bound: float) -> bool:
            # Where rounding may move weights by all of them, likewise.
            lost = self._overflows and bound > 1 and not np.isfinite(distance)
            return distance <= bound or bound == np.inf or lost

        pairs = zip(distances, bounds, strict=True)
        return [i for i, (d, b) in enumerate(pairs) if not is_within(d, b)]


def _gradients(steps: Steps) -> dict[str, Array]:
    return steps.gradients


def _updates(steps: Steps) -> dict[str, Array]:
    return steps.updates
