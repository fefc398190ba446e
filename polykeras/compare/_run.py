"""Run one model on several engines and compare what its layers give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from polykeras import tree
from polykeras.backend import Array, Backend
from polykeras.compare._audit import Audit
from polykeras.compare._calls import Call
from polykeras.compare._compiled import compiled_outcomes, is_compiled
from polykeras.compare._dump import Dump, Entry
from polykeras.compare._engines import Rounding, rounding_of
from polykeras.compare._environment import digest, environment_of
from polykeras.compare._graph import edges_of
from polykeras.compare._judging import FURTHER_REPLICAS, LAYER_REPLICAS, REPLICAS
from polykeras.compare._looking import Looker
from polykeras.compare._modes import why_missing
from polykeras.compare._noise import Perturbed
from polykeras.compare._pairs import Pairs
from polykeras.compare._report import Item, Place, Report
from polykeras.compare._store import Store
from polykeras.compare._subject import Subject
from polykeras.compare._training import Steps
from polykeras.compare._trajectories import TrainedReference
from polykeras.compare._watchers import (
    Follower,
    Outcome,
    Recorder,
    Spreader,
    depends_on_mode,
    sees_values,
)
from polykeras.errors import OperationNotSupported, PolykerasError, ShapeError
from polykeras.precision import epsilon_of

__all__ = ["Comparison"]

_NARROW: Final = 2.0**-16
Calls: TypeAlias = dict[tuple[str, int], Call]


class Comparison:
    """One model with its data, and the engines that run it in turn."""

    def __init__(
        self,
        model: Any,
        x: Any,
        y: Any,
        reference: str | Backend,
        batch_size: int,
        seed: int,
    ) -> None:
        """Take the model; see `Subject`."""
        self.subject = Subject(model, x, y, reference, batch_size, seed)
        self.reference = self.subject.reference
        self._store = Store()
        self.sink: Callable[[Item, Array], None] = lambda item, array: None

    def run(
        self,
        engines: Sequence[Backend],
        steps: int,
        *,
        pairwise: bool = True,
        max_memory: int | None = None,
    ) -> Report:
        """Compare each engine with the reference: layers, then training."""
        self.subject.sparing = max_memory is not None
        with Store(max_memory) as store:
            self._store, self._pairwise = store, pairwise
            return self._run(engines, steps)

    def recorded(self, engine: Backend) -> list[Call]:
        """Return the calls of the reference, with the bounds for an engine."""
        recorded = self._record("inference")
        calls = self._with_bounds(recorded, rounding_of(engine), "inference")
        return list(calls.values())

    def trained(
        self,
        engine: Backend,
        steps: int,
        exact: Steps | None = None,
        calls: Calls | None = None,
    ) -> TrainedReference:
        """Return training on the reference, with the bounds for an engine.

        Args:
            engine: The engine.
            steps: Number of steps.
            exact: Those of the reference, if they are known.
            calls: The record of the first, whose bounds are widened.
        """
        subject, keep = self.subject, self._store.keep
        if exact is None:
            exact = subject.train(self.reference, steps, keep=keep, with_weights=True)
        rounding = rounding_of(engine)
        dtype = rounding.forced or subject.dtype
        narrow = epsilon_of(dtype) > _NARROW
        # One is enough for arrays of many entries, and losses of several steps are
        # pooled.
        replicas = subject.perturbed(rounding, min(steps, REPLICAS))
        runs = [
            subject.train(
                replica,
                steps,
                keep=keep,
                beside=exact,
                watcher=Spreader(replica, calls) if calls and number == 0 else None,
            )
            for number, replica in enumerate(replicas)
        ]

        def further() -> Iterator[Steps]:
            most = subject.perturbed(rounding, len(replicas) + FURTHER_REPLICAS)
            for replica in most[len(replicas) :]:
                yield subject.train(replica, steps, keep=keep, beside=exact)

        return TrainedReference(
            self.reference.name,
            exact,
            runs,
            dtype,
            self._mover(replicas[0], narrow=narrow),
            narrow,
            further(),
        )

    def dump(self, engine: Backend, steps: int) -> Dump:
        """Compare one engine, and return what it gave, with the bounds."""
        entries: list[Entry] = []

        def keep(item: Item, array: Array) -> None:
            entries.append(
                Entry(
                    kind=item.kind,
                    name=item.name,
                    cls=item.cls,
                    mode=item.mode,
                    dtype=item.dtype,
                    array=np.array(array),
                    bound=item.bound,
                )
            )

        self.sink = keep
        report = self.run([engine], steps)
        return Dump(engine.name, report.model, report.environment, entries)

    def _run(self, engines: Sequence[Backend], steps: int) -> Report:
        subject = self.subject
        model = subject.model
        report = Report(model.name, self.reference.name, [e.name for e in engines])
        weights = model.get_weights()
        report.environment = environment_of(
            [self.reference, *engines],
            seed=subject.seed,
            dtype=subject.dtype,
            weights=len(weights),
            weights_digest=digest(weights),
            data_digest=digest(tree.flatten(subject.x)),
            loss=str(model.loss or "mse, since the model is not compiled"),
        )
        report.edges = edges_of(model)
        usable = []
        for engine in engines:
            why = why_missing(engine)
            if why:
                error = OperationNotSupported(why)
                report.items.append(self._missing(engine, "inference", error))
            else:
                usable.append(engine)
        self._compare_all(report, usable, steps)
        return report

    def _compare_all(
        self, report: Report, engines: Sequence[Backend], steps: int
    ) -> None:
        """Compare engines that this machine has, if there are any."""
        if not engines:
            return
        subject = self.subject
        aware = any(map(depends_on_mode, subject.model._flatten_layers()))
        # A pass of the reference is the one inside its first training step: the only
        # one where layers do not know of training, otherwise that in training mode.
        inside = steps > 0 and not subject.has_own_step and sees_values(self.reference)
        calls: Calls = {}
        if aware or not inside:
            calls = self._compare_layers(report, engines, "inference", steps)
        if aware and not inside:
            calls = self._compare_layers(report, engines, "training", steps)
        if steps:
            mode = ("training" if aware else "inference") if inside else None
            self._compare_training(report, engines, steps, calls, inside=mode)

    def _compare_layers(
        self, report: Report, engines: Sequence[Backend], mode: str, steps: int
    ) -> Calls:
        """Compare one pass through the model, and return that of the reference."""
        try:
            calls = self._record(mode)
        except ShapeError as error:
            if not (steps and self.subject.has_own_step):
                raise
            # A training step of one's own may feed the model otherwise.
            report.items += [self._missing(e, mode, error) for e in engines]
            return {}
        pairs = self._pairs(engines)
        widened: dict[Rounding, Calls] = {}
        for engine in engines:
            rounding = rounding_of(engine)
            if rounding not in widened:
                widened[rounding] = self._with_bounds(calls, rounding, mode)
            report.items += self._follow(engine, widened[rounding], mode, pairs)
        report.pairs += pairs.items
        return calls

    def _pairs(self, engines: Sequence[Backend]) -> Pairs:
        return Pairs(self._store, len(engines) if self._pairwise else 0)

    def _compare_training(
        self,
        report: Report,
        engines: Sequence[Backend],
        steps: int,
        calls: Calls,
        *,
        inside: str | None,
    ) -> None:
        """Compare training steps.

        Args:
            report: Gets the items.
            engines: The engines.
            steps: Number of steps.
            calls: The latest record of the reference, if there is one.
            inside: The mode of the layers that are compared with those of the
                reference's first step; None if they have been compared.
        """
        subject = self.subject
        keep = self._store.keep
        exact, calls, inside = self._first_steps(steps, calls, inside)
        runs: dict[Rounding, tuple[TrainedReference, Calls]] = {}
        for engine in engines:
            rounding = rounding_of(engine)
            if rounding not in runs:
                own = _unbounded(calls) if inside else {}
                runs[rounding] = self.trained(engine, steps, exact, own), own
        pairs = self._pairs(engines)
        for engine in engines:
            run, own = runs[rounding_of(engine)]
            look = Looker(self, engine, own, inside or "training", pairs)
            watcher = None
            if inside:
                if is_compiled(engine) or not sees_values(engine):
                    look.items += self._follow(engine, own, inside, pairs)
                else:
                    watcher = Follower(engine, own, look.tell)
            try:
                several = steps > 1
                found = subject.train(
                    engine,
                    steps,
                    keep=keep,
                    beside=exact,
                    with_weights=several,
                    watcher=watcher,
                )
                near = None
                if several:
                    seed = subject.seed
                    near = subject.train(
                        engine, steps, keep=keep, beside=found, nudge=seed
                    )
            except OperationNotSupported as error:
                missing = self._missing(engine, "training", error)
                report.items += [*look.items, missing]
                continue
            report.items += look.items
            so_far = [item for item in report.items if item.engine == engine.name]
            right = all(item.consistent for item in so_far)
            items = run.items(engine, found, patient=right)
            if not all(item.consistent for item in items):
                report.items += self._culprits(engine, calls)
            report.items += items
            for item in items:
                array = found.array(item.kind, item.name)
                if array is not None:
                    self.sink(item, array)
            report.trajectory.append(run.track(engine, found, near, patient=right))
        report.pairs += pairs.items

    def _first_steps(
        self, steps: int, calls: Calls, inside: str | None
    ) -> tuple[Steps, Calls, str | None]:
        """Train on the reference, and record its layers if they are to be compared.

        Returns:
            The steps, the latest record, and the mode of the layers that are still to
            be compared, None if there are none.
        """
        recorder = None
        if inside:
            recorder = Recorder(self.reference, self._store, inside, calls)
        exact = self.subject.train(
            self.reference,
            steps,
            keep=self._store.keep,
            with_weights=True,
            watcher=recorder,
        )
        if recorder is None:
            return exact, calls, None
        return exact, recorder.calls, None if recorder.repeats else inside

    def _mover(
        self, perturbed: Perturbed, *, narrow: bool
    ) -> Callable[[dict[str, Array]], list[dict[str, Array]]]:
        """Return what lets optimizers move weights by gradients.

        Args:
            perturbed: A reference that errs as much as it may.
            narrow: Whether to let its optimizer move them too, which divides by what
                may round to 0.
        """
        engines = [self.reference, perturbed] if narrow else [self.reference]

        def move(gradients: dict[str, Array]) -> list[dict[str, Array]]:
            if self.subject.has_own_step:
                return []
            return [self.subject.updates(engine, gradients) for engine in engines]

        return move

    def _culprits(self, engine: Backend, calls: Calls) -> list[Item]:
        """Name the ops whose values or derivatives spoil gradients and updates."""
        items: list[Item] = []

        def look(outcome: Outcome) -> None:
            assert outcome.again is not None  # a follower's can run again
            # Values: a layer's outputs may be right and its averages wrong.
            for gradients in (False, True):
                audit = self._audit(engine, gradients=gradients)
                outcome.again(audit)
                if audit.findings:
                    call = outcome.call
                    items.append(self._culprit("backward", call.name, call.cls, audit))

        if calls:
            self.subject.forward(Follower(engine, calls, look), "training")
        audit = self._audit(engine)
        self.subject.train(audit, 1, keep=self._store.keep)
        if audit.findings and not items:
            model = self.subject.model
            cls = type(model.optimizer).__name__
            items.append(self._culprit("step", model.name, cls, audit))
        return items

    def _culprit(self, kind: str, name: str, cls: str, audit: Audit) -> Item:
        worst = audit.findings[0]
        place = Place(
            kind=kind,
            name=name,
            cls=cls,
            engine=audit.name,
            against=self.reference.name,
            mode="training",
            dtype=worst.dtype,
            shape=worst.shapes[0] if worst.shapes else (),
        )
        return Item.blamed(place, audit.findings)

    def _audit(self, engine: Backend, *, gradients: bool = False) -> Audit:
        replicas = self.subject.replicas(engine)
        return Audit(engine, self.reference, replicas, gradients=gradients)

    # -- the passes ------------------------------------------------------------

    def _record(self, mode: str) -> Calls:
        recorder = Recorder(self.reference, self._store, mode)
        self.subject.forward(recorder, mode)
        return recorder.calls

    def _with_bounds(self, calls: Calls, rounding: Rounding, mode: str) -> Calls:
        own = _unbounded(calls)
        for engine in self.subject.perturbed(rounding, LAYER_REPLICAS):
            self.subject.forward(Spreader(engine, own), mode)
        return own

    def _follow(
        self, engine: Backend, calls: Calls, mode: str, pairs: Pairs
    ) -> list[Item]:
        subject = self.subject
        look = Looker(self, engine, calls, mode, pairs)
        try:
            if is_compiled(engine):
                model = subject.copy_on(engine)
                with subject.running(engine):
                    for outcome in compiled_outcomes(
                        model, subject.x, engine, calls, mode
                    ):
                        look.tell(outcome)
            else:
                subject.forward(Follower(engine, calls, look.tell), mode)
        except OperationNotSupported as error:
            look.items.append(self._missing(engine, mode, error))
        return look.items

    def _missing(self, engine: Backend, mode: str, error: PolykerasError) -> Item:
        place = Place(
            kind="layer",
            name=self.subject.model.name,
            cls=type(self.subject.model).__name__,
            engine=engine.name,
            against=self.reference.name,
            mode=mode,
            dtype="",
            shape=(),
        )
        return Item.missing(place, str(error))


def _unbounded(calls: Calls) -> Calls:
    """Return a record without bounds."""
    return {key: call.fresh() for key, call in calls.items()}
