"""The model under comparison: its data and seeds, and its copies on engines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from polykeras import tree
from polykeras.backend import REFERENCE, Array, Backend, engine_scope, get_backend
from polykeras.compare._engines import Recast, Rounding, engine_named, rounding_of
from polykeras.compare._inputs import drawn_inputs, drawn_targets
from polykeras.compare._judging import REPLICAS
from polykeras.compare._noise import Perturbed
from polykeras.compare._training import Steps, train, updates_of
from polykeras.compare._watchers import sees_values
from polykeras.errors import ArgumentError
from polykeras.layers._call import observing
from polykeras.precision import epsilon_of
from polykeras.random import seed_scope
from polykeras.state import StateScope
from polykeras.training._batches import BatchSteps

if TYPE_CHECKING:
    from polykeras.compare._calls import Watcher

__all__ = ["Subject"]


class Subject:
    """A model with a batch and seeds, the same on each engine that runs it.

    Attributes:
        dtype: The coarsest dtype that a layer computes in.
        sparing: Whether a copy of the model lives no longer than its run, which saves
            memory, rather than until it is trained.

    Args:
        model: The model, of which a copy is built.
        x: A batch of inputs; None draws one.
        y: Targets; None draws some when they are needed.
        reference: What errors are measured against.
        batch_size: Number of samples drawn.
        seed: Of everything that is drawn.
    """

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
        plain = get_backend(REFERENCE)
        self.x = drawn_inputs(model, batch_size, seed) if x is None else x
        self.x = tree.map_leaves(np.asarray, self.x)
        self.y = y
        self.model = model.to_backend(plain)
        with engine_scope(plain):
            self.model._build_for((self.x,))
        used = {layer.compute_dtype for layer in self.model._flatten_layers()}
        self.dtype = max(used, key=epsilon_of)
        self._finest = min(used, key=epsilon_of)
        self.sparing = False
        self._copies: dict[int, tuple[Backend, Any]] = {}
        self._perturbed: dict[Rounding, list[Perturbed]] = {}

    @property
    def has_own_step(self) -> bool:
        """Whether the model has a training step of its own."""
        return type(self.model).train_step is not BatchSteps.train_step

    def targets(self) -> Any:
        """Return the targets, drawn on first use."""
        if self.y is None and (self.model.loss is not None or not self.model.compiled):
            outputs = self.model.predict_on_batch(self.x)
            self.y = drawn_targets(self.model, outputs, self.seed)
        return self.y

    def perturbed(self, rounding: Rounding, count: int = REPLICAS) -> list[Perturbed]:
        """Return references that err as an engine may.

        Args:
            rounding: How the engine rounds.
            count: How many.
        """
        known = self._perturbed.setdefault(rounding, [])
        if len(known) < count:
            inner = self.reference
            if isinstance(inner, Recast):
                inner = inner.inner
            if not sees_values(inner):
                # Nothing could be added while it differentiates.
                inner = get_backend(REFERENCE)
            known += [
                Perturbed(
                    inner,
                    rounding.forced or self.dtype,
                    self.seed + number,
                    forced=rounding.forced is not None,
                    products=rounding.products,
                    finest=rounding.forced or self._finest,
                )
                for number in range(len(known), count)
            ]
        return known[:count]

    def replicas(self, engine: Backend) -> list[Perturbed]:
        """Return references that err as `engine` may."""
        return self.perturbed(rounding_of(engine))

    # -- runs ------------------------------------------------------------------

    def copy_on(self, engine: Backend) -> Any:
        """Return a copy of the model on an engine, perhaps the same one each time."""
        if self.sparing:
            return self.model.to_backend(engine)
        if id(engine) not in self._copies:
            self._copies[id(engine)] = engine, self.model.to_backend(engine)
        return self._copies[id(engine)][1]

    def _taken(self, engine: Backend) -> Any:
        """Return a copy that may be changed, since nobody gets it again."""
        found = self._copies.pop(id(engine), None)
        return self.model.to_backend(engine) if found is None else found[1]

    @contextmanager
    def running(self, engine: Backend) -> Iterator[None]:
        """Make an engine the active one, with the seed of the first training step."""
        key = np.array(self.model._draws or (self.seed, 0), np.uint32)
        with (
            engine_scope(engine),
            engine.step_scope(),
            np.errstate(all="ignore"),
            seed_scope(engine.from_numpy(key, "uint32")),
        ):
            yield

    def forward(self, watcher: Watcher, mode: str) -> None:
        """Call the model on the engine of a watcher, who sees the layers.

        Args:
            watcher: The watcher.
            mode: ``"inference"`` or ``"training"``.
        """
        model = self.copy_on(watcher.engine)
        with self.running(watcher.engine), observing(watcher), StateScope()():
            model(self.x, training=mode == "training")

    def outputs(self, engine: Backend) -> list[tuple[Array, str]]:
        """Return the outputs of the model on an engine, with their dtypes."""
        model = self._taken(engine)
        with self.running(engine), StateScope()():
            return [
                (np.array(engine.to_numpy(y)), engine.dtype_name(y))
                for y in tree.flatten(model(self.x, training=False))
                if engine.is_tensor(y)
            ]

    def train(self, engine: Backend, steps: int, **options: Any) -> Steps:
        """Train a copy on an engine.

        Args:
            engine: The engine.
            steps: Number of steps.
            options: See `polykeras.compare._training.train`.
        """
        model = self._to_train(engine)
        with engine_scope(engine), np.errstate(all="ignore"):
            return train(model, self.x, self.targets(), steps, engine, **options)

    def updates(self, engine: Backend, gradients: dict[str, Array]) -> dict[str, Array]:
        """Return how far the optimizer moves each weight.

        Args:
            engine: The engine that it runs on.
            gradients: What it is given, by the path of the weight.
        """
        model = self._to_train(engine)
        with engine_scope(engine), np.errstate(all="ignore"):
            return updates_of(model, gradients, engine)

    def _to_train(self, engine: Backend) -> Any:
        model = self._taken(engine)
        if not model.compiled:
            with engine_scope(engine):
                model.compile(optimizer="sgd", loss="mse")
            model._draws = (self.seed, 0)
        return model
