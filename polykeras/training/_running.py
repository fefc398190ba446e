"""Run steps: on which backend, with which state, built for which data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import tree
from polykeras.backend import Array, Backend, engine_scope
from polykeras.errors import DataError, StateError
from polykeras.layers._tracking import structural, unique
from polykeras.random import make_default_seed
from polykeras.training._batches import BatchSteps
from polykeras.training._foreign_code import only_library_code
from polykeras.training._labels import (
    LabelCheck,
    has_numbered_classes,
    numbered_classes,
)
from polykeras.training._samples import loss_apart, metric_apart, samples_apart
from polykeras.training._step import Step
from polykeras.training._survey import dry_run
from polykeras.training.data import is_text, unpack

if TYPE_CHECKING:
    from polykeras.training._dispatch import DispatchPlan
    from polykeras.training.data import DataAdapter
    from polykeras.variables import Variable

__all__ = ["Running"]

# What users may set on a model that is not of a class of their own.
_REPLACEABLE: Final = frozenset(
    {"call", "compute_loss", "compute_metrics", "predict_step", "test_step"}
)
# Far from the seeds that people choose, so that no two streams of keys meet.
_INFERENCE: Final = 0x9E3779B9


class Running(BatchSteps):
    """The part of `Trainer` that turns step methods into step functions."""

    built: bool
    compiled: bool
    steps_per_execution: int
    _state_of_calls: Callable[[], list[Variable]]
    jit_compile: bool
    _jit_compile: bool | str
    _tracker: Any
    _run_eagerly: bool
    _steps: dict[str, Step]
    _draws: tuple[int, int] | None
    _inference_draws: int
    # Keys of the current order of the data, and of the order to take up again.
    _last_order: tuple[int, int] | None
    _order_to_repeat: tuple[int, int] | None
    _device: Callable[[], Backend]
    _flatten_layers: Callable[[], list[Any]]

    if TYPE_CHECKING:

        @property
        def layers(self) -> list[Any]: ...

    def _state_variables(self) -> list[Variable]:
        """Return every variable a step may read or assign."""
        found = self._state_of_calls()
        for optimizer in self._optimizers():
            found += optimizer.variables
        # An overridden `metrics` need not list what a step updates.
        for metric in unique([*self.metrics, *self._step_metrics()]):
            found += metric.variables
        return unique(found)

    def _variables_of_step(self, kind: str) -> Callable[[], list[Variable]]:
        """Return what lists the variables that a step may read or assign."""
        own = type(self).predict_step is not BatchSteps.predict_step
        if kind == "predict" and not own:
            return self._state_of_calls
        return self._state_variables

    @structural
    def _optimizers(self) -> list[Any]:
        own = [self.optimizer] if self.optimizer is not None else []
        return unique([*own, *self._tracker.optimizers()])

    def _step(self, kind: str) -> Step:
        """Return the step function of a kind, made anew for other state or layers."""
        parts = [*self.trainable_variables, *self._optimizers()]
        parts += self._flatten_layers()
        cached = self._steps.get(kind)
        if cached is None or not cached.is_of(parts):
            fns = {
                "train": self.train_step,
                "test": self.test_step,
                "predict": self.predict_step,
            }
            cached = Step(
                fns[kind],
                self._variables_of_step(kind),
                self._device(),
                jit=self._compiles_steps(),
                next_keys=self._next_keys if kind == "train" else self._inference_keys,
                parts=parts,
                collects=kind == "predict",
                fn_of_some=self._test_step_of_some if kind == "test" else None,
            )
            self._steps[kind] = cached
        return cached

    def _plan(
        self,
        step: Step,
        batch: Any,
        data: DataAdapter,
        observed: bool,
        each: int | None = None,
    ) -> DispatchPlan:
        """Return how the data are to be handed to a step."""
        each = self.steps_per_execution if each is None else each
        return step.plan(
            batch,
            each=each,
            steps=data.steps,
            observed=observed,
            apart=lambda: self._fills_up(step, data),
        )

    def _fills_up(self, step: Step, data: DataAdapter) -> bool:
        """Return whether a step may fill a last batch up, which is found out once."""
        for kind, look in (
            ("predict", self._predicts_apart),
            ("test", self._evaluates_apart),
        ):
            if step is self._steps.get(kind):
                if kind == "test" and data.steps == 1:
                    return False  # It has one program anyway.
                if step.apart is None:
                    step.apart = look()
                return step.apart
        return False

    def _predicts_apart(self) -> bool:
        """Return whether `predict` may fill a last batch up."""
        library = type(self).__module__.startswith("polykeras.")
        own = vars(self).keys() & _REPLACEABLE
        return (
            library
            and not own
            and samples_apart(self)
            and only_library_code(self._flatten_layers()[1:], self._device())
        )

    def _evaluates_apart(self) -> bool:
        """Return whether `evaluate` may fill a last batch up."""
        compiled = self._compile_loss
        if compiled is None or any(
            layer.activity_regularizer is not None for layer in self._flatten_layers()
        ):
            return False
        found = [loss for loss in tree.flatten(compiled.losses) if loss is not None]
        own = set(map(id, self._loss_metrics()))
        others = [metric for metric in self.metrics if id(metric) not in own]
        return (
            bool(found)
            and all(map(loss_apart, found))
            and all(map(metric_apart, others))
            and self._predicts_apart()
        )

    def _compiles_steps(self) -> bool:
        if self._run_eagerly or not self.jit_compile:
            return False
        layers = self._flatten_layers()
        if any(layer._computes_on_host for layer in layers):
            return False
        backend = self._device()
        if self._jit_compile != "auto" or not backend.capabilities.eager:
            return True
        parts = [*layers, *self._optimizers(), *self.metrics]
        return only_library_code([*parts, self._compile_loss], backend)

    def _next_keys(self, count: int) -> Array:
        """Return the next keys of the model: its seed and how many came before."""
        seed, drawn = self._draws or (make_default_seed(), 0)
        self._draws = (seed, drawn + count)
        return _keys(seed, drawn, count)

    def _inference_keys(self, count: int) -> Array:
        """Return the next keys of evaluation, which leaves those of training alone."""
        seed, _ = self._draws or (make_default_seed(), 0)
        drawn = self._inference_draws + 1
        self._inference_draws += count
        return _keys((seed + _INFERENCE) % 2**32, drawn, count)

    def _draw_order(self, size: int) -> Array:
        """Return the numbers below `size` in a random order, equal on all backends."""
        repeated, self._order_to_repeat = self._order_to_repeat, None
        key = (
            self._next_keys(1)[0] if repeated is None else np.array(repeated, np.uint32)
        )
        self._last_order = (int(key[0]), int(key[1]))
        bits = np.random.Philox(key=key.astype(np.uint64))
        return np.random.Generator(bits).permutation(size)

    @contextmanager
    def _running(self) -> Iterator[Backend]:
        backend = self._device()
        with engine_scope(backend), backend.step_scope():
            yield backend

    def _require_compiled(self, method: str) -> None:
        if not self.compiled:
            raise StateError(
                f"Call model.compile(optimizer, loss) before model.{method}()."
            )

    def _build_for(self, batch: Any) -> None:
        """Build the model and its optimizer for data like `batch`."""
        x, y, _ = unpack(batch)
        if any(is_text(leaf) for leaf in tree.flatten((x, y))):
            self._check_text(x, y)
        # A training step of one's own may never call the model itself, so `call` need
        # not fit the data, as long as the parts are built.
        own_step = type(self).train_step is not BatchSteps.train_step
        unbuilt = any(not layer.built for layer in self.layers)
        if unbuilt or not (self.built or own_step):
            dry_run(self._forward, self._device(), x)
        if self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def _check_text(self, x: Any, y: Any) -> None:
        """Refuse text where no layer can read it.

        Raises:
            DataError: If there is such.
        """
        reads = any(layer.input_dtype == "string" for layer in self._flatten_layers())
        if not reads or any(is_text(leaf) for leaf in tree.flatten(y)):
            raise DataError(
                "The data hold text, which no layer of the model reads. Encode it as "
                "numbers first, or put a TextVectorization or StringLookup in front."
            )

    def _forward(self, x: Any) -> Any:
        return self(x, training=False)  # type: ignore[operator]

    def _output_specs(self, x: Any) -> Any:
        """Return something with a shape for each output, in their structure."""
        symbolic = getattr(self, "output", None)
        known = [getattr(leaf, "shape", None) for leaf in tree.flatten(symbolic)]
        if all(shape is not None for shape in known):
            return symbolic
        return dry_run(self._forward, self._device(), x)

    def _label_check(self) -> LabelCheck | None:
        """Return what checks class numbers before they reach a compiled step."""
        compiled = self._compile_loss
        if compiled is None or not has_numbered_classes(compiled):
            return None

        def classes(x: Any) -> tuple[list[str], list[Any]]:
            self._build_for((x,))
            names = getattr(self, "output_names", None)
            return numbered_classes(compiled, self._output_specs(x), names)

        return LabelCheck(classes)


def _keys(seed: int, first: int, count: int) -> Array:
    if count == 1:
        return np.array([[seed, first]], np.uint32)
    keys = np.empty((count, 2), np.uint32)
    keys[:, 0], keys[:, 1] = seed, np.arange(first, first + count, dtype=np.uint32)
    return keys
