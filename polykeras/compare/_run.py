"""Run one model on several engines and compare what its layers give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from polykeras import dtypes, tree
from polykeras.backend import (
    REFERENCE,
    Array,
    Backend,
    engine_scope,
    get_backend,
    installed_backends,
)
from polykeras.compare._audit import Audit
from polykeras.compare._calls import (
    Call,
    Follower,
    Outcome,
    Recorder,
    Spreader,
    Watcher,
)
from polykeras.compare._compiled import compiled_outcomes, is_compiled
from polykeras.compare._dump import Dump, Entry
from polykeras.compare._engines import Recast, engine_named, nominal_dtype
from polykeras.compare._environment import digest, environment_of
from polykeras.compare._graph import edges_of
from polykeras.compare._inputs import drawn_inputs, drawn_targets
from polykeras.compare._judging import LAYER_REPLICAS, REPLICAS, Judged, judged
from polykeras.compare._noise import Perturbed
from polykeras.compare._pairs import Pairs
from polykeras.compare._report import Item, Report
from polykeras.compare._store import Store
from polykeras.compare._training import Steps, train
from polykeras.compare._trajectories import TrainedReference
from polykeras.errors import (
    ArgumentError,
    OperationNotSupported,
    PolykerasError,
    ShapeError,
)
from polykeras.layers._call import observing
from polykeras.precision import epsilon_of
from polykeras.random import seed_scope
from polykeras.state import StateScope
from polykeras.training._batches import BatchSteps

__all__ = ["Comparison", "compare"]


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
        max_memory: Bytes of recorded outputs to hold in memory, the rest lies in
            temporary files meanwhile; None means all.

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
        """Copy and build the model, and draw what is missing."""
        if not hasattr(model, "to_backend"):
            raise ArgumentError(
                f"Expected a model, got {type(model).__name__}. Pass a keras.Model; "
                "put single layers into a Sequential with an Input."
            )
        self.seed = seed
        self.reference = engine_named(reference)
        self._sink: Callable[[Item, Array], None] = lambda item, array: None
        plain = get_backend(REFERENCE)
        self.x = drawn_inputs(model, batch_size, seed) if x is None else x
        self.x = tree.map_leaves(np.asarray, self.x)
        self.y = y
        self.model = _copied(model, plain)
        with engine_scope(plain):
            self.model._build_for((self.x,))
        self.dtype = max(
            {layer.compute_dtype for layer in self.model._flatten_layers()},
            key=epsilon_of,
        )

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
        with Store() as self._store:
            calls = self._with_bounds(
                self._record("inference"), nominal_dtype(engine), "inference"
            )
        return list(calls.values())

    def outputs(self, engine: Backend) -> list[tuple[Array, str]]:
        """Return the outputs of the model on an engine, with their dtypes."""
        model = _copied(self.model, engine)
        with _running(engine, self.seed), StateScope()():
            return [
                (np.array(engine.to_numpy(y)), engine.dtype_name(y))
                for y in tree.flatten(model(self.x, training=False))
                if engine.is_tensor(y)
            ]

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
                    array=array,
                    bound=item.bound,
                )
            )

        self._sink = keep
        report = self.run([engine], steps)
        return Dump(engine.name, report.model, report.environment, entries)

    def _run(self, engines: Sequence[Backend], steps: int) -> Report:
        report = Report(self.model.name, self.reference.name, [e.name for e in engines])
        weights = self.model.get_weights()
        report.environment = environment_of(
            [self.reference, *engines],
            seed=self.seed,
            dtype=self.dtype,
            weights=len(weights),
            weights_digest=digest(weights),
            data_digest=digest(tree.flatten(self.x)),
            loss=str(self.model.loss or "mse, since the model is not compiled"),
        )
        report.edges = edges_of(self.model)
        for mode in ("inference", "training"):
            try:
                calls = self._record(mode)
            except ShapeError as error:
                if not (steps and self._has_own_step()):
                    raise
                # A training step of one's own may feed the model otherwise.
                report.items += [self._missing(e, mode, error) for e in engines]
                calls = {}
                continue
            pairs = Pairs(self._store, mode)
            widened: dict[str | None, dict[tuple[str, int], Call]] = {}
            for engine in engines:
                forced = nominal_dtype(engine)
                if forced not in widened:
                    widened[forced] = self._with_bounds(calls, forced, mode)
                report.items += self._follow(engine, widened[forced], mode, pairs)
            report.pairs += pairs.items
        if steps:
            self._compare_training(report, engines, steps, calls)
        return report

    def _compare_training(
        self,
        report: Report,
        engines: Sequence[Backend],
        steps: int,
        calls: dict[tuple[str, int], Call],
    ) -> None:
        exact = self._train(self.reference, steps)
        runs: dict[str | None, TrainedReference] = {}
        for engine in engines:
            forced = nominal_dtype(engine)
            if forced not in runs:
                replicas = [self._train(e, steps) for e in self._perturbed(forced)]
                runs[forced] = TrainedReference(
                    self.reference.name, exact, replicas, forced or self.dtype
                )
            try:
                found = self._train(engine, steps)
                near = self._train(engine, steps, nudge=self.seed)
            except OperationNotSupported as error:
                report.items.append(self._missing(engine, "training", error))
                continue
            items = runs[forced].items(engine, found)
            if not all(item.consistent for item in items):
                report.items += self._culprits(engine, calls)
            report.items += items
            for item in items:
                array = found.array(item.kind, item.name)
                if array is not None:
                    self._sink(item, array)
            report.trajectory.append(runs[forced].track(engine, found, near))

    def _culprits(
        self, engine: Backend, calls: dict[tuple[str, int], Call]
    ) -> list[Item]:
        """Name the ops whose values or derivatives spoil gradients and updates."""
        items: list[Item] = []

        def look(outcome: Outcome) -> None:
            # Values: a layer's outputs may be right and its averages wrong.
            for gradients in (False, True):
                audit = Audit(
                    engine,
                    self.reference,
                    self._replicas(engine),
                    gradients=gradients,
                )
                outcome.again(audit)
                if audit.findings:
                    call = outcome.call
                    items.append(self._culprit("backward", call.name, call.cls, audit))

        if calls:
            self._forward(Follower(engine, calls, look), "training")
        audit = Audit(engine, self.reference, self._replicas(engine))
        self._train(audit, 1)
        if audit.findings and not items:
            cls = type(self.model.optimizer).__name__
            items.append(self._culprit("step", self.model.name, cls, audit))
        return items

    def _culprit(self, kind: str, name: str, cls: str, audit: Audit) -> Item:
        worst = audit.findings[0]
        return Item(
            kind=kind,
            name=name,
            cls=cls,
            engine=audit.name,
            against=self.reference.name,
            mode="training",
            dtype=worst.dtype,
            shape=worst.shapes[0] if worst.shapes else (),
            error=worst.error,
            bound=worst.bound,
            verdict=worst.verdict,
            accumulated=worst.verdict,
            why=worst.why,
            ops=audit.findings,
        )

    def _has_own_step(self) -> bool:
        return type(self.model).train_step is not BatchSteps.train_step

    def _train(self, engine: Backend, steps: int, nudge: int | None = None) -> Steps:
        model = _copied(self.model, engine)
        with engine_scope(engine), np.errstate(all="ignore"):
            if not model.compiled:
                model.compile(optimizer="sgd", loss="mse")
                model._draws = (self.seed, 0)
            return train(model, self.x, self.targets(), steps, engine, nudge=nudge)

    def targets(self) -> Any:
        """Return the targets, drawn on first use."""
        if self.y is None and self._needs_targets():
            outputs = self.model.predict_on_batch(self.x)
            self.y = drawn_targets(self.model, outputs, self.seed)
        return self.y

    def _needs_targets(self) -> bool:
        return self.model.loss is not None or not self.model.compiled

    # -- the passes ------------------------------------------------------------

    def _record(self, mode: str) -> dict[tuple[str, int], Call]:
        recorder = Recorder(self.reference, self._store)
        self._forward(recorder, mode)
        return recorder.calls

    def _with_bounds(
        self, calls: dict[tuple[str, int], Call], forced: str | None, mode: str
    ) -> dict[tuple[str, int], Call]:
        own = {key: _fresh(call) for key, call in calls.items()}
        for engine in islice(self._perturbed(forced), LAYER_REPLICAS):
            self._forward(Spreader(engine, own), mode)
        return own

    def _replicas(self, engine: Backend) -> list[Perturbed]:
        return list(self._perturbed(nominal_dtype(engine)))

    def _perturbed(self, forced: str | None) -> Iterator[Perturbed]:
        inner = self.reference
        if isinstance(inner, Recast):
            inner = inner.inner
        for number in range(REPLICAS):
            yield Perturbed(
                inner,
                forced or self.dtype,
                self.seed + number,
                forced=forced is not None,
            )

    def _follow(
        self,
        engine: Backend,
        calls: dict[tuple[str, int], Call],
        mode: str,
        pairs: Pairs,
    ) -> list[Item]:
        items: list[Item] = []

        def tell(outcome: Outcome) -> None:
            for i, value in enumerate(outcome.outputs):
                if value is not None and outcome.call.outputs[i] is not None:
                    items.append(self._item(engine, outcome, i, mode))
                    self._sink(items[-1], value)
                    if self._pairwise:
                        pairs.add(items[-1], value)

        try:
            if is_compiled(engine):
                model = _copied(self.model, engine)
                with _running(engine, self.seed):
                    for outcome in compiled_outcomes(
                        model, self.x, engine, calls, mode
                    ):
                        tell(outcome)
            else:
                self._forward(Follower(engine, calls, tell), mode)
        except OperationNotSupported as error:
            items.append(self._missing(engine, mode, error))
        return items

    def _forward(self, watcher: Watcher, mode: str) -> Any:
        """Call a copy of the model on the watcher's engine."""
        engine = watcher.engine
        model = _copied(self.model, engine)
        with _running(engine, self.seed), observing(watcher), StateScope()():
            return model(self.x, training=mode == "training")

    # -- items -----------------------------------------------------------------

    def _item(self, engine: Backend, outcome: Outcome, number: int, mode: str) -> Item:
        call, dtype = outcome.call, outcome.dtypes[number]
        found, want = outcome.outputs[number], call.outputs[number]
        assert found is not None  # the caller pairs tensors
        assert want is not None
        as_run = judged(found, want, dtype, call.bounds[number])
        own = as_run
        if number < len(outcome.alone):
            alone = outcome.alone[number]
            if alone is not None:
                own = judged(alone, want, dtype, call.local[number])
        if number == 0:
            own = max([own, *_judged_fed(outcome)], key=lambda j: j.rank)
        audit = Audit(engine, self.reference, self._replicas(engine))
        if own.bad:
            outcome.again(audit)
        return Item(
            kind="layer",
            name=call.name if number == 0 else f"{call.name}:{number}",
            cls=call.cls,
            engine=engine.name,
            against=self.reference.name,
            mode=mode,
            dtype=dtype,
            shape=found.shape,
            error=as_run.error,
            bound=as_run.bound,
            verdict=own.verdict,
            local=own.error,
            local_bound=own.bound,
            accumulated=as_run.verdict,
            why=own.why,
            ops=audit.findings,
        )

    def _missing(self, engine: Backend, mode: str, error: PolykerasError) -> Item:
        return Item(
            kind="layer",
            name=self.model.name,
            cls=type(self.model).__name__,
            engine=engine.name,
            against=self.reference.name,
            mode=mode,
            dtype="",
            shape=(),
            error=None,
            bound=0.0,
            verdict="not comparable",
            why=str(error),
        )


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


def _fresh(call: Call) -> Call:
    return replace(call, bounds=[], local=[], fed=[])


def _copied(model: Any, engine: Backend) -> Any:
    """Return a copy of a model, with weights and seeds, on an engine."""
    return model.to_backend(engine)


@contextmanager
def _running(engine: Backend, seed: int) -> Iterator[None]:
    key = np.array([seed, 0], np.uint32)
    with (
        engine_scope(engine),
        engine.step_scope(),
        np.errstate(all="ignore"),
        seed_scope(engine.from_numpy(key, "uint32")),
    ):
        yield
