"""Run one model on several engines and compare what its layers give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import numpy as np

from polykeras import dtypes, tree
from polykeras.backend import REFERENCE, Array, Backend, installed_backends
from polykeras.compare._audit import Audit
from polykeras.compare._calls import (
    Call,
    Follower,
    Outcome,
    Recorder,
    Spreader,
    depends_on_mode,
)
from polykeras.compare._compiled import compiled_outcomes, is_compiled
from polykeras.compare._dump import Dump, Entry
from polykeras.compare._engines import Rounding, engine_named, rounding_of
from polykeras.compare._environment import digest, environment_of
from polykeras.compare._graph import edges_of
from polykeras.compare._judging import LAYER_REPLICAS, REPLICAS, Judged, judged
from polykeras.compare._modes import why_missing
from polykeras.compare._noise import Perturbed
from polykeras.compare._pairs import Pairs
from polykeras.compare._report import Item, Report
from polykeras.compare._store import Store
from polykeras.compare._subject import Subject
from polykeras.compare._training import Steps
from polykeras.compare._trajectories import TrainedReference
from polykeras.errors import (
    ArgumentError,
    OperationNotSupported,
    PolykerasError,
    ShapeError,
)
from polykeras.precision import epsilon_of

__all__ = ["Comparison", "compare"]

_NARROW: Final = 2.0**-16
Calls: TypeAlias = dict[tuple[str, int], Call]


def compare(
    model: Any,
    x: Any = None,
    y: Any = None,
    *,
    backends: Sequence[str | Backend] | None = None,
    reference: str | Backend = f"{REFERENCE}:float64",
    steps: int | None = None,
    batch_size: int = 8,
    seed: int = 0,
    pairwise: bool = True,
    max_memory: int | None = None,
) -> Report:
    """Run a model on several engines and say where, and by how much, they differ.

    Weights, batch, seeds and dropout masks are the same on each. The model itself is
    not changed.

    Args:
        model: A model; where it lives does not matter.
        x: A batch of inputs; None draws one of the shapes that the model declares.
        y: Targets; None draws some that fit the loss.
        backends: Engines: names, names with a dtype such as ``"torch:bfloat16"``, or
            `Backend` objects; None means all that are installed.
        reference: The engine that errors are measured against.
        steps: Number of training steps on the batch, of which the first is compared
            gradient by gradient; None means one for compiled models. A model that is
            not compiled trains on the squares of its errors.
        batch_size: Number of samples drawn where `x` is None.
        seed: Of everything that is drawn.
        pairwise: Whether outputs of engines are compared with each other too.
        max_memory: Bytes of recorded outputs, gradients and weights to hold in memory,
            the rest lies in temporary files meanwhile; None means all.

    Returns:
        The report.

    Raises:
        ArgumentError: If `model` is no model or no backend is given.
        ShapeError: If `x` is None and the model does not say its input's shape.

    >>> import polykeras as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> keras.compare(model, backends=["numpy"]).consistent
    True
    """
    comparison = Comparison(model, x, y, reference, batch_size, seed)
    engines = [engine_named(name) for name in backends or installed_backends()]
    if not engines:
        raise ArgumentError("There is no backend to compare. Pass backends=[...].")
    if steps is None:
        steps = int(bool(model.compiled))
    return comparison.run(engines, steps, pairwise=pairwise, max_memory=max_memory)


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
        self._sink: Callable[[Item, Array], None] = lambda item, array: None

    def run(
        self,
        engines: Sequence[Backend],
        steps: int,
        *,
        pairwise: bool = True,
        max_memory: int | None = None,
    ) -> Report:
        """Compare each engine with the reference: layers, then training."""
        with Store(max_memory) as store:
            self._store, self._pairwise = store, pairwise and len(engines) > 1
            return self._run(engines, steps)

    def recorded(self, engine: Backend) -> list[Call]:
        """Return the calls of the reference, with the bounds for an engine."""
        recorded = self._record("inference")
        calls = self._with_bounds(recorded, rounding_of(engine), "inference")
        return list(calls.values())

    def trained(
        self, engine: Backend, steps: int, exact: Steps | None = None
    ) -> TrainedReference:
        """Return training on the reference, with the bounds for an engine.

        Args:
            engine: The engine.
            steps: Number of steps.
            exact: Those of the reference, if they are known.
        """
        subject, keep = self.subject, self._store.keep
        if exact is None:
            exact = subject.train(self.reference, steps, keep=keep, with_weights=True)
        rounding = rounding_of(engine)
        dtype = rounding.forced or subject.dtype
        # One is enough for arrays of many entries, and losses of several steps are
        # pooled.
        replicas = subject.perturbed(rounding)[: min(steps, REPLICAS)]
        return TrainedReference(
            self.reference.name,
            exact,
            [subject.train(e, steps, keep=keep, beside=exact) for e in replicas],
            dtype,
            self._updates(exact, replicas[0], dtype),
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

        self._sink = keep
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
        calls: Calls = {}
        for mode in self._modes():
            try:
                calls = self._record(mode)
            except ShapeError as error:
                if not (steps and subject.has_own_step):
                    raise
                # A training step of one's own may feed the model otherwise.
                report.items += [self._missing(e, mode, error) for e in engines]
                continue
            pairs = Pairs(self._store, mode)
            widened: dict[Rounding, Calls] = {}
            for engine in engines:
                rounding = rounding_of(engine)
                if rounding not in widened:
                    widened[rounding] = self._with_bounds(calls, rounding, mode)
                report.items += self._follow(engine, widened[rounding], mode, pairs)
            report.pairs += pairs.items
        if steps:
            self._compare_training(report, engines, steps, calls)

    def _modes(self) -> list[str]:
        """Return how the model is called: training is no other where no layer knows."""
        layers = self.subject.model._flatten_layers()
        aware = any(depends_on_mode(layer) for layer in layers)
        return ["inference", "training"] if aware else ["inference"]

    def _compare_training(
        self, report: Report, engines: Sequence[Backend], steps: int, calls: Calls
    ) -> None:
        subject = self.subject
        keep = self._store.keep
        runs: dict[Rounding, TrainedReference] = {}
        for engine in engines:
            rounding = rounding_of(engine)
            if rounding not in runs:
                exact = next((run.exact for run in runs.values()), None)
                runs[rounding] = self.trained(engine, steps, exact)
            exact = runs[rounding].exact
            try:
                several = steps > 1
                found = subject.train(
                    engine, steps, keep=keep, beside=exact, with_weights=several
                )
                near = None
                if several:
                    seed = subject.seed
                    near = subject.train(
                        engine, steps, keep=keep, beside=found, nudge=seed
                    )
            except OperationNotSupported as error:
                report.items.append(self._missing(engine, "training", error))
                continue
            items = runs[rounding].items(engine, found)
            if not all(item.consistent for item in items):
                report.items += self._culprits(engine, calls)
            report.items += items
            for item in items:
                array = found.array(item.kind, item.name)
                if array is not None:
                    self._sink(item, array)
            report.trajectory.append(runs[rounding].track(engine, found, near))

    def _updates(self, exact: Steps, engine: Perturbed, dtype: str) -> dict[str, Array]:
        """Return the updates that rounding in the optimizer alone leads to.

        In 16 bits optimizers divide by what may round to 0, but only where a gradient
        is small, and gradients that err themselves may be small elsewhere.
        """
        if self.subject.has_own_step or epsilon_of(dtype) < _NARROW:
            return {}
        return self.subject.updates(engine, exact.gradients)

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
        return Item.blamed(
            audit.findings,
            kind=kind,
            name=name,
            cls=cls,
            engine=audit.name,
            against=self.reference.name,
            mode="training",
            dtype=worst.dtype,
            shape=worst.shapes[0] if worst.shapes else (),
        )

    def _audit(self, engine: Backend, *, gradients: bool = False) -> Audit:
        replicas = self.subject.replicas(engine)
        return Audit(engine, self.reference, replicas, gradients=gradients)

    # -- the passes ------------------------------------------------------------

    def _record(self, mode: str) -> Calls:
        recorder = Recorder(self.reference, self._store, mode)
        self.subject.forward(recorder, mode)
        return recorder.calls

    def _with_bounds(self, calls: Calls, rounding: Rounding, mode: str) -> Calls:
        own = {key: call.fresh() for key, call in calls.items()}
        for engine in self.subject.perturbed(rounding)[:LAYER_REPLICAS]:
            self.subject.forward(Spreader(engine, own), mode)
        return own

    def _follow(
        self, engine: Backend, calls: Calls, mode: str, pairs: Pairs
    ) -> list[Item]:
        items: list[Item] = []
        subject = self.subject
        look = _Looker(self, engine, calls, mode)

        def tell(outcome: Outcome) -> None:
            for i, value in enumerate(outcome.outputs):
                if value is not None and outcome.call.outputs[i] is not None:
                    items.append(look.item(outcome, i))
                    self._sink(items[-1], value)
                    if self._pairwise:
                        pairs.add(items[-1], value)

        try:
            if is_compiled(engine):
                model = subject.copy_on(engine)
                with subject.running(engine):
                    for outcome in compiled_outcomes(
                        model, subject.x, engine, calls, mode
                    ):
                        tell(outcome)
            else:
                subject.forward(Follower(engine, calls, tell), mode)
        except OperationNotSupported as error:
            items.append(self._missing(engine, mode, error))
        return items

    def _missing(self, engine: Backend, mode: str, error: PolykerasError) -> Item:
        return Item.missing(
            str(error),
            kind="layer",
            name=self.subject.model.name,
            cls=type(self.subject.model).__name__,
            engine=engine.name,
            against=self.reference.name,
            mode=mode,
            dtype="",
            shape=(),
        )


class _Looker:
    """Judges what the layers of one engine gave in one mode."""

    def __init__(
        self, comparison: Comparison, engine: Backend, calls: Calls, mode: str
    ) -> None:
        self._comparison = comparison
        self._engine = engine
        self._calls = calls
        self._mode = mode
        self._rest_is_bounded = False

    def item(self, outcome: Outcome, number: int) -> Item:
        """Return the item about one output of a layer."""
        call, dtype = outcome.call, outcome.dtypes[number]
        found, want = outcome.outputs[number], call.outputs[number]
        assert found is not None  # the caller pairs tensors
        assert want is not None
        as_run = judged(found, want, dtype, call.bounds[number])
        if as_run.bad and not outcome.alone and outcome.again is not None:
            self._bound_rest()
            outcome.alone, outcome.fed = outcome.again(self._engine)
        alone = outcome.alone[number] if number < len(outcome.alone) else None
        own = None
        if alone is not None:
            own = judged(alone, want, dtype, call.local[number])
        if number == 0 and outcome.fed:
            own = max([own or as_run, *_judged_fed(outcome)], key=lambda j: j.rank)
        item = Item.judged(
            as_run,
            alone=own,
            kind="layer",
            name=call.name if number == 0 else f"{call.name}:{number}",
            cls=call.cls,
            engine=self._engine.name,
            against=self._comparison.reference.name,
            mode=self._mode,
            dtype=dtype,
            shape=found.shape,
        )
        if number == 0:
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
            for engine in subject.replicas(self._engine)[:LAYER_REPLICAS]:
                subject.forward(Spreader(engine, self._calls, rest=True), self._mode)


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
