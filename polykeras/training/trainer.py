"""The one trainer: compile, fit, evaluate and predict for every backend."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from polykeras import ops, tree
from polykeras.autodiff import value_and_grad
from polykeras.backend import Backend, current_backend, engine_scope
from polykeras.errors import DataError, PolykerasError
from polykeras.layers._tracking import structural, unique
from polykeras.random import make_default_seed
from polykeras.training._compile_loss import CompileLoss
from polykeras.training._compile_metrics import CompileMetrics
from polykeras.training._interrupt import deferred_interrupt
from polykeras.training._step import Step, dry_run
from polykeras.training.data import DataAdapter, make_adapter, unpack

if TYPE_CHECKING:
    from polykeras.backend import Array, Tensor
    from polykeras.callbacks import CallbackList, History
    from polykeras.variables import Variable

__all__ = ["Trainer"]


class Trainer:
    """The part of `Model` that trains it."""

    name: str
    built: bool
    losses: list[Any]
    trainable_variables: list[Variable]
    variables: list[Variable]
    _clear_losses: Callable[[], None]

    def __init__(self) -> None:
        """Start uncompiled."""
        self.compiled = False
        self.optimizer: Any = None
        self.stop_training = False
        self.history: History | None = None
        self._compile_loss: CompileLoss | None = None
        self._compile_metrics: CompileMetrics | None = None
        self._loss_tracker: Any = None
        self._run_eagerly = False
        self._jit_compile: bool | str = "auto"
        self.steps_per_execution = 1
        self._steps: dict[str, Step] = {}
        self._draws: tuple[int, int] | None = None
        self._compile_config: dict[str, Any] = {}

    # -- compile ---------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how the model is trained.

        Args:
            optimizer: A name or `Optimizer`.
            loss: A name, function, `Loss`, or a list or dict of them, one an output.
            loss_weights: A factor for each output's loss.
            metrics: Names, functions or `Metric` objects, in lists or dicts.
            weighted_metrics: The same, computed with the sample weights.
            run_eagerly: Whether steps run as plain Python, to be debugged.
            steps_per_execution: Number of batches in one compiled call.
            jit_compile: ``"auto"``, or whether to compile.
            auto_scale_loss: Whether a 16-bit float policy gets a loss scale.

        Raises:
            ArgumentError: If a name is unknown; the model stays as it was.
        """
        from polykeras import losses as loss_module  # noqa: PLC0415 heavy siblings
        from polykeras import metrics as metric_module  # noqa: PLC0415
        from polykeras import optimizers  # noqa: PLC0415

        chosen = optimizers.get(optimizer)
        names = getattr(self, "output_names", None)
        compile_loss = (
            CompileLoss(loss, loss_weights, output_names=names)
            if loss is not None
            else None
        )
        compile_metrics = (
            CompileMetrics(metrics, weighted_metrics, output_names=names)
            if metrics is not None or weighted_metrics is not None
            else None
        )
        del loss_module
        policy = getattr(self, "dtype_policy", None)
        if auto_scale_loss and policy and policy.name == "mixed_float16" and chosen:
            chosen = optimizers.LossScaleOptimizer(chosen, name="loss_scale_optimizer")
        self.optimizer = chosen
        self._compile_loss = compile_loss
        self._compile_metrics = compile_metrics
        self._loss_tracker = metric_module.Mean(name="loss")
        self._run_eagerly = run_eagerly
        self._jit_compile = jit_compile
        self.steps_per_execution = steps_per_execution
        self._compile_config = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self._steps = {}
        self.stop_training = False
        self.compiled = True

    @property
    def loss(self) -> Any:
        """The loss as given to `compile`."""
        return self._compile_config.get("loss")

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run as plain Python."""
        return self._run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._run_eagerly = value
        self._steps = {}

    @property
    def jit_compile(self) -> bool:
        """Whether steps are compiled."""
        if self._jit_compile == "auto":
            return bool(self._device().capabilities.compile)
        return bool(self._jit_compile)

    @jit_compile.setter
    def jit_compile(self, value: bool | str) -> None:
        self._jit_compile = value
        self._steps = {}

    def _device(self) -> Backend:
        own: Backend | None = getattr(self, "backend", None)
        return own or current_backend()

    # -- what users override ---------------------------------------------------

    def train_step(self, data: Any) -> dict[str, Any]:
        """Learn from one batch; override it for a training procedure of your own.

        It runs on every backend as it is: use `polykeras.value_and_grad` with the
        variables to differentiate, and ``optimizer.apply``.

        Args:
            data: ``(x, y, sample_weight)`` or less.

        Returns:
            Names to scalars, for the logs.
        """
        x, y, sample_weight = unpack(data)

        def loss_of_batch() -> tuple[Tensor, Any]:
            y_pred = self(x, training=True)  # type: ignore[operator]
            loss = self.compute_loss(x, y, y_pred, sample_weight, training=True)
            scale = getattr(self.optimizer, "scale_loss", None)
            return (loss if scale is None else scale(loss)), (loss, y_pred)

        variables = self.trainable_variables
        if not variables:
            _, (loss, y_pred) = loss_of_batch()
        else:
            differentiate = value_and_grad(loss_of_batch, variables, has_aux=True)
            (_, (loss, y_pred)), grads = differentiate()
            self.optimizer.apply(grads, variables)
        self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluate one batch.

        Args:
            data: ``(x, y, sample_weight)`` or less.

        Returns:
            Names to scalars, for the logs.
        """
        x, y, sample_weight = unpack(data)
        y_pred = self(x, training=False)  # type: ignore[operator]
        loss = self.compute_loss(x, y, y_pred, sample_weight, training=False)
        self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Return the outputs for one batch."""
        x, _, _ = unpack(data)
        return self(x, training=False)  # type: ignore[operator]

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """Return the scalar that training lowers.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: Outputs.
            sample_weight: Weight of each sample.
            training: Whether this is a training step.

        Returns:
            The compiled losses plus what layers and regularizers added.

        Raises:
            PolykerasError: If there is no loss at all.
        """
        parts: list[Any] = []
        if self._compile_loss is not None:
            loss = self._compile_loss(y, y_pred, sample_weight)
            if loss is not None:
                parts.append(loss)
        parts += [ops.sum(ops.cast(x, "float32")) for x in self.losses]
        self._clear_losses()
        if not parts:
            if training:
                raise PolykerasError(
                    f"The model {self.name!r} has no loss to minimise. Pass loss= to "
                    "compile, call add_loss in a layer, or override compute_loss."
                )
            return ops.zeros(())
        total = parts[0]
        for part in parts[1:]:
            total = ops.add(total, part)
        return total

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Update the metrics and return their values.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: Outputs.
            sample_weight: Weight of each sample.
        """
        if self._compile_metrics is not None:
            self._compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the value of each metric by name."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            if isinstance(value, dict):
                results.update(value)
            else:
                results[metric.name] = value
        return results

    def _track_loss(self, loss: Tensor, x: Any) -> None:
        if self._loss_tracker is None:
            return
        leaves = [v for v in tree.flatten(x) if hasattr(v, "shape") and v.shape]
        weight = leaves[0].shape[0] if leaves else None
        self._loss_tracker.update_state(loss, sample_weight=weight)
        if self._compile_loss is not None:
            self._compile_loss.track(weight)

    @property
    @structural
    def metrics(self) -> list[Any]:
        """The metrics: the loss, those of its outputs, compiled ones, and others."""
        found: list[Any] = []
        if self._loss_tracker is not None:
            found.append(self._loss_tracker)
        if self._compile_loss is not None:
            found += self._compile_loss.metrics
        if self._compile_metrics is not None:
            found += self._compile_metrics.metrics
        found += super().metrics  # type: ignore[misc]
        return unique(found)

    @property
    def metrics_names(self) -> list[str]:
        """The names of the metrics."""
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    # -- running steps ---------------------------------------------------------

    def _state_variables(self) -> list[Variable]:
        """Return every variable a step may read or assign."""
        found = list(self.variables)
        for optimizer in self._optimizers():
            found += optimizer.variables
        for metric in self.metrics:
            found += metric.variables
        return unique(found)

    def _optimizers(self) -> list[Any]:
        own = [self.optimizer] if self.optimizer is not None else []
        tracked = self._tracker.optimizers()  # type: ignore[attr-defined]
        return unique([*own, *tracked])

    def _step(self, kind: str) -> Step:
        """Return the step function of a kind, made anew when the state changed."""
        key = (kind, tuple((id(v), v.trainable) for v in self.trainable_variables))
        cached = self._steps.get(kind)
        if cached is None or getattr(cached, "key", None) != key:
            fn = {
                "train": self.train_step,
                "test": self.test_step,
                "predict": self.predict_step,
            }[kind]
            cached = Step(
                fn,
                self._state_variables,
                self._device(),
                jit=self.jit_compile and not self._run_eagerly,
                repeat=self.steps_per_execution,
                next_key=self._next_key,
            )
            cached.key = key  # type: ignore[attr-defined]
            self._steps[kind] = cached
        return cached

    def _next_key(self) -> Array:
        """Return the key of the next step: a seed and the number of the step."""
        if self._draws is None:
            self._draws = (make_default_seed(), 0)
        seed, count = self._draws
        self._draws = (seed, count + 1)
        return np.array([seed, count], np.uint32)

    @contextmanager
    def _running(self) -> Iterator[Backend]:
        backend = self._device()
        with ExitStack() as stack:
            stack.enter_context(engine_scope(backend))
            stack.enter_context(backend.step_scope())
            yield backend

    def _require_compiled(self, method: str) -> None:
        if not self.compiled:
            raise PolykerasError(
                f"Call model.compile(optimizer, loss) before model.{method}()."
            )

    def _build_for(self, batch: Any) -> None:
        """Build the model, its losses and its metrics for data like `batch`."""
        x, y, sample_weight = unpack(batch)
        backend = self._device()
        if not self.built or any(not layer.built for layer in self.layers):  # type: ignore[attr-defined]
            dry_run(lambda inputs: self(inputs, training=False), backend, x)  # type: ignore[operator]
        if self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    # -- fit -------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:
        """Train the model for some passes over the data.

        Args:
            x: Arrays, tensors, lists or dicts of them, a data frame, a `PyDataset`,
                a generator of batches, or a loader of batches.
            y: Targets, unless `x` yields them.
            batch_size: Samples in a step; None means 32.
            epochs: Number of the epoch after the last.
            verbose: 0 silent, 1 a progress bar, 2 one line an epoch, ``"auto"``.
            callbacks: `Callback` objects.
            validation_split: Share of the last samples held out.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)``, or a data set.
            shuffle: Whether samples are shuffled before each epoch.
            class_weight: Class to the weight of its samples.
            sample_weight: Weight of each sample.
            initial_epoch: Number of the first epoch.
            steps_per_epoch: Steps in an epoch; None means all batches.
            validation_steps: Steps of a validation run; None means all batches.
            validation_batch_size: None means `batch_size`.
            validation_freq: Epochs between validation runs, or which epochs.

        Returns:
            The `History` of the run.

        Raises:
            PolykerasError: If the model is not compiled.
            DataError: If lengths differ or the data set yields nothing.
        """
        from polykeras.callbacks import CallbackList, History  # noqa: PLC0415 above us

        self._require_compiled("fit")
        if validation_split and validation_data is None:
            from polykeras.training.data import split_off  # noqa: PLC0415 beside use

            (x, y, sample_weight), validation_data = split_off(
                x, y, sample_weight, validation_split
            )
        with self._running():
            data = make_adapter(
                x,
                y,
                sample_weight,
                batch_size=batch_size,
                steps=steps_per_epoch,
                shuffle=shuffle,
                class_weight=class_weight,
                y_classes_of=self,
            )
            validation = None
            if validation_data is not None:
                validation = make_adapter(
                    *(unpack(validation_data) if isinstance(validation_data, list | tuple) else (validation_data, None, None)),
                    batch_size=validation_batch_size or batch_size,
                    steps=validation_steps,
                )
            history = next(
                (c for c in _as_list(callbacks) if isinstance(c, History)), None
            )
            observers = CallbackList(
                callbacks,
                add_history=True,
                add_progbar=verbose != 0,
                model=self,
                verbose=verbose,
                epochs=epochs,
                steps=data.steps,
            )
            self.stop_training = False
            self._fit_epochs(
                data, validation, observers, initial_epoch, epochs, validation_freq
            )
            self.history = history or observers._history
        return self.history

    def _fit_epochs(
        self,
        data: DataAdapter,
        validation: DataAdapter | None,
        observers: CallbackList,
        initial_epoch: int,
        epochs: int,
        validation_freq: int | Sequence[int],
    ) -> None:
        logs: dict[str, Any] = {}
        step: Step | None = None
        with deferred_interrupt() as check:
            observers.on_train_begin()
            for epoch in range(initial_epoch, epochs):
                self.reset_metrics()
                observers.on_epoch_begin(epoch)
                number = -1
                with data.epoch() as batches:
                    for number, group in enumerate(_grouped(batches, self.steps_per_execution)):
                        if step is None:
                            self._build_for(group[0])
                            step = self._step("train")
                        observers.on_train_batch_begin(number)
                        results = step(group)
                        logs = self._pythonify(results[-1])
                        observers.on_train_batch_end(number, logs)
                        check()
                        if self.stop_training:
                            break
                if number < 0:
                    raise DataError(
                        "The training data yielded no batch. Check that it is not "
                        "empty, or that a generator has not been used up."
                    )
                epoch_logs = dict(logs)
                if validation is not None and _due(epoch, validation_freq):
                    values = self._evaluate(validation, observers)
                    epoch_logs |= {f"val_{k}": v for k, v in values.items()}
                epoch_logs = _floats(epoch_logs)
                observers.on_epoch_end(epoch, epoch_logs)
                logs = epoch_logs
                check()
                if self.stop_training:
                    break
            for optimizer in self._optimizers():
                optimizer.finalize_variable_values(self.trainable_variables)
            observers.on_train_end(logs)

    def _pythonify(self, logs: Any) -> dict[str, Any]:
        return dict(logs) if isinstance(logs, dict) else {"loss": logs}

    # -- evaluate and predict --------------------------------------------------

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Return the loss and metrics on some data.

        Args:
            x: As for `fit`.
            y: As for `fit`.
            batch_size: Samples in a step; None means 32.
            verbose: As for `fit`.
            sample_weight: Weight of each sample.
            steps: Number of batches; None means all.
            callbacks: `Callback` objects.
            return_dict: Whether to return names to values.
            kwargs: None are allowed.

        Returns:
            A float, a list in the order of `metrics_names`, or a dict.
        """
        from polykeras.callbacks import CallbackList  # noqa: PLC0415 above us

        if kwargs:
            raise TypeError(f"evaluate() got unexpected arguments {sorted(kwargs)}.")
        self._require_compiled("evaluate")
        with self._running():
            data = make_adapter(
                x, y, sample_weight, batch_size=batch_size, steps=steps
            )
            observers = CallbackList(
                callbacks,
                add_progbar=verbose != 0,
                model=self,
                verbose=verbose,
                epochs=1,
                steps=data.steps,
            )
            with deferred_interrupt() as check:
                logs = _floats(self._evaluate(data, observers, check))
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def _evaluate(
        self,
        data: DataAdapter,
        observers: CallbackList,
        check: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        self.reset_metrics()
        observers.on_test_begin()
        logs: dict[str, Any] = {}
        step: Step | None = None
        with data.epoch() as batches:
            for number, group in enumerate(_grouped(batches, self.steps_per_execution)):
                if step is None:
                    self._build_for(group[0])
                    step = self._step("test")
                observers.on_test_batch_begin(number)
                logs = self._pythonify(step(group)[-1])
                observers.on_test_batch_end(number, logs)
                check()
        if step is None:
            raise DataError("The evaluation data yielded no batch.")
        observers.on_test_end(logs)
        return logs

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Return the outputs for some data.

        Args:
            x: As for `fit`.
            batch_size: Samples in a step; None means 32.
            verbose: As for `fit`.
            steps: Number of batches; None means all.
            callbacks: `Callback` objects.

        Returns:
            A NumPy array, or a structure of them like the model's outputs.
        """
        from polykeras.callbacks import CallbackList  # noqa: PLC0415 above us

        with self._running() as backend:
            data = make_adapter(x, None, None, batch_size=batch_size, steps=steps)
            observers = CallbackList(
                callbacks,
                add_progbar=verbose != 0,
                model=self,
                verbose=verbose,
                epochs=1,
                steps=data.steps,
            )
            outputs: list[Any] = []
            step: Step | None = None
            with deferred_interrupt() as check:
                observers.on_predict_begin()
                with data.epoch() as batches:
                    for number, batch in enumerate(batches):
                        if step is None:
                            self._build_for(batch)
                            step = self._step("predict")
                        observers.on_predict_batch_begin(number)
                        result = step([batch])[0]
                        outputs.append(result)
                        observers.on_predict_batch_end(number, {"outputs": result})
                        check()
                observers.on_predict_end()
            if not outputs:
                raise DataError("The data to predict for yielded no batch.")
            return tree.map_leaves(
                lambda *parts: np.concatenate([backend.to_numpy(p) for p in parts]),
                *outputs,
            )

    # -- single batches --------------------------------------------------------

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Learn from one batch and return the loss and metrics so far."""
        self._require_compiled("train_on_batch")
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Evaluate one batch and return the loss and metrics so far."""
        self._require_compiled("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch as NumPy arrays."""
        with self._running() as backend:
            batch = self._one_batch(x, None, None, None)
            self._build_for(batch)
            (result,) = self._step("predict")([batch])
            return tree.map_leaves(backend.to_numpy, result)

    def _one_batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
        size = len(tree.flatten(x)[0])
        data = make_adapter(
            x,
            y,
            sample_weight,
            batch_size=size,
            class_weight=class_weight,
            y_classes_of=self,
        )
        with data.epoch() as batches:
            return next(iter(batches))

    def _on_batch(
        self,
        kind: str,
        x: Any,
        y: Any,
        sample_weight: Any,
        class_weight: Any,
        return_dict: bool,
    ) -> Any:
        with self._running():
            batch = self._one_batch(x, y, sample_weight, class_weight)
            self._build_for(batch)
            logs = _floats(self._pythonify(self._step(kind)([batch])[-1]))
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    # -- config ----------------------------------------------------------------

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return the arguments of `compile` as data, or None."""
        from polykeras.registry import serialize_keras_object  # noqa: PLC0415

        if not self.compiled:
            return None
        data: dict[str, Any] = serialize_keras_object(
            {**self._compile_config, "optimizer": self.optimizer}
        )
        return data

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile the model as data from `get_compile_config` says."""
        from polykeras.registry import deserialize_keras_object  # noqa: PLC0415

        self.compile(**deserialize_keras_object(config))
        if self.built and self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)


def _grouped(batches: Any, size: int) -> Iterator[list[Any]]:
    if size == 1:
        for batch in batches:
            yield [batch]
        return
    group: list[Any] = []
    for batch in batches:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _due(epoch: int, frequency: int | Sequence[int]) -> bool:
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


def _floats(logs: dict[str, Any]) -> dict[str, Any]:
    """Read the values of logs from the device."""
    return {k: _as_float(v) for k, v in logs.items()}


def _as_float(value: Any) -> Any:
    if isinstance(value, int | float):
        return float(value)
    array: Array = np.asarray(ops.convert_to_numpy(value))
    return float(array) if array.size == 1 and math.prod(array.shape) == 1 else array


def _as_list(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
