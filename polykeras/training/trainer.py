"""The one trainer: compile, fit, evaluate and predict for every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from polykeras import tree
from polykeras.callbacks.logs import read_logs
from polykeras.errors import ArgumentError, DataError
from polykeras.training._compiling import Compiling
from polykeras.training._interrupt import deferred_interrupt
from polykeras.training._resuming import Resumption, Run
from polykeras.training._running import Running
from polykeras.training._survey import dry_run
from polykeras.training.data import (
    DataAdapter,
    Group,
    Rows,
    RunGroup,
    make_adapter,
    split_off,
    unpack,
)

if TYPE_CHECKING:
    from polykeras.backend import Backend
    from polykeras.callbacks import CallbackList, History
    from polykeras.training._dispatch import DispatchPlan
    from polykeras.training._step import Step

__all__ = ["Trainer"]


class Trainer(Compiling, Running):
    """The part of `Model` that trains it."""

    def __init__(self) -> None:
        """Start uncompiled."""
        super().__init__()
        self.history: History | None = None
        self._fit_run: Run | None = None
        self._resumption: Resumption | None = None

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
            StateError: If the model is not compiled.
            DataError: If lengths differ or the data set yields nothing.
            ArgumentError: If class numbers are out of range, or losses, targets or
                weights do not fit the outputs.

        >>> import numpy as np
        >>> import polykeras as keras
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse", metrics=["mae"])
        >>> x = np.linspace(0, 1, 20)
        >>> history = model.fit(x, 2 * x + 1, epochs=3, verbose=0)
        >>> {name: len(values) for name, values in history.history.items()}
        {'loss': 3, 'mae': 3}
        """
        self._require_compiled("fit")
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_off(
                x, y, sample_weight, validation_split
            )
        with self._running(), self._trainable_as_compiled():
            data = make_adapter(
                x,
                y,
                sample_weight,
                batch_size=batch_size,
                steps=steps_per_epoch,
                repeat=True,
                draw_order=self._draw_order if shuffle else None,
                class_weight=class_weight,
            )
            data.inspect = self._label_check()
            validation = None
            if validation_data is not None:
                if isinstance(validation_data, list):
                    validation_data = tuple(validation_data)
                validation = make_adapter(
                    *unpack(validation_data),
                    batch_size=validation_batch_size or batch_size,
                    steps=validation_steps,
                )
                validation.inspect = self._label_check()
            observers = self._observers(
                callbacks, verbose, epochs, data.steps, add_history=True
            )
            self.stop_training = False
            self._fit_epochs(
                data, validation, observers, initial_epoch, epochs, validation_freq
            )
        assert observers.history is not None
        self.history = observers.history
        return self.history

    def _observers(
        self,
        callbacks: Any,
        verbose: int | str,
        epochs: int,
        steps: int | None,
        *,
        add_history: bool = False,
    ) -> CallbackList:
        from polykeras.callbacks import CallbackList

        if verbose not in (0, 1, 2, "auto"):
            raise ArgumentError(f"verbose must be 0, 1, 2 or 'auto', got {verbose!r}.")
        if not isinstance(epochs, int):
            raise ArgumentError(f"epochs must be an integer, got {epochs!r}.")
        return CallbackList(
            callbacks,
            add_history=add_history,
            add_progbar=verbose != 0,
            model=self,
            verbose=verbose,
            epochs=epochs,
            steps=steps,
        )

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
        run = Run(data, observers, initial_epoch)
        with deferred_interrupt() as check, self._as_run(run):
            observers.on_train_begin()
            resumption, self._resumption = self._resumption, None
            if resumption is not None:
                resumption.restore_run(self, run)
                resumption.end_epoch(self, run)
                initial_epoch, logs = resumption.epoch, resumption.logs
                if resumption.stopped:
                    epochs = initial_epoch + int(resumption.within_epoch)
            for epoch in range(initial_epoch, epochs):
                run.epoch, run.batch, run.over = epoch, 0, False
                self.reset_metrics()
                observers.on_epoch_begin(epoch)
                if resumption is not None and resumption.within_epoch:
                    resumption.go_within_epoch(self, run)
                    logs = self._train_epoch(run, check, resumption)
                else:
                    logs = self._train_epoch(run, check)
                resumption = None
                if validation is not None and _due(epoch, validation_freq):
                    values = self._evaluate(validation, observers, check)
                    logs |= {f"val_{k}": v for k, v in values.items()}
                logs = read_logs(logs)
                run.over, run.logs = True, logs
                observers.on_epoch_end(epoch, logs)
                check()
                if self.stop_training:
                    break
            for optimizer in self._optimizers():
                if optimizer.built:
                    optimizer.finalize_variable_values(None)
            observers.on_train_end(logs)

    @contextmanager
    def _as_run(self, run: Run) -> Iterator[None]:
        self._fit_run = run
        try:
            yield
        finally:
            self._fit_run = None

    def _train_epoch(
        self,
        run: Run,
        check: Callable[[], None],
        resumption: Resumption | None = None,
    ) -> dict[str, Any]:
        """Train on the batches of an epoch, or what is left; return the last logs."""
        observers = run.observers
        logs: dict[str, Any] = {} if resumption is None else resumption.logs
        if resumption is not None and self.stop_training:
            return logs
        step: Step | None = None

        def plan_for(batch: Any) -> DispatchPlan:
            nonlocal step
            self._build_for(batch)
            if resumption is not None:
                dry_run(self.train_step, self._device(), batch)
                resumption.restore_metrics(self)
            step = self._step("train")
            return self._plan(step, batch, run.data, observers.acts_on_batches("train"))

        def take(group: Group) -> None:
            nonlocal logs
            assert step is not None
            observers.on_train_batch_begin(run.batch)
            logs = _named(step(group))
            run.batch, run.logs = run.batch + len(group), logs
            observers.on_train_batch_end(run.batch - 1, logs)

        runner = RunGroup(take, lambda: self.stop_training)
        with run.data.groups(plan_for, runner) as groups:
            for group in groups:
                take(group)
                check()
                if self.stop_training:
                    break
        if step is None and resumption is None:
            raise DataError(
                "The training data yielded no batch. Check that it is not empty, or "
                "that a generator has not been used up."
            )
        return logs

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
        if kwargs:
            raise TypeError(f"evaluate() got unexpected arguments {sorted(kwargs)}.")
        self._require_compiled("evaluate")
        with self._running():
            data = make_adapter(x, y, sample_weight, batch_size=batch_size, steps=steps)
            data.inspect = self._label_check()
            observers = self._observers(callbacks, verbose, 1, data.steps)
            with deferred_interrupt() as check:
                logs = read_logs(self._evaluate(data, observers, check))
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def _evaluate(
        self, data: DataAdapter, observers: CallbackList, check: Callable[[], None]
    ) -> dict[str, Any]:
        self.reset_metrics()
        observers.on_test_begin()
        logs: dict[str, Any] = {}
        step: Step | None = None
        done = 0

        def plan_for(batch: Any) -> DispatchPlan:
            nonlocal step
            self._build_for(batch)
            step = self._step("test")
            return self._plan(step, batch, data, observers.acts_on_batches("test"))

        def take(group: Group) -> None:
            nonlocal done, logs
            assert step is not None
            observers.on_test_batch_begin(done)
            logs = _named(step(group))
            done += len(group)
            observers.on_test_batch_end(done - 1, logs)

        with data.groups(plan_for, RunGroup(take)) as groups:
            for group in groups:
                take(group)
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
        with self._running() as backend:
            data = make_adapter(x, None, None, batch_size=batch_size, steps=steps)
            observers = self._observers(callbacks, verbose, 1, data.steps)
            observed = observers.acts_on_batches("predict")
            outputs: list[tuple[Any, Group]] = []
            step: Step | None = None
            done = 0

            def plan_for(batch: Any) -> DispatchPlan:
                nonlocal step
                self._build_for(batch)
                step = self._step("predict")
                return self._plan(step, batch, data, observed, each=1)

            with deferred_interrupt() as check:
                observers.on_predict_begin()
                with data.groups(plan_for) as groups:
                    for group in groups:
                        assert step is not None
                        observers.on_predict_batch_begin(done)
                        result = step(group)
                        outputs.append((result, group))
                        done += len(group)
                        if observed and isinstance(group, Rows):
                            # Then a group is one batch.
                            result = tree.map_leaves(
                                lambda x, n=group.samples: x[0][:n], result
                            )
                        observers.on_predict_batch_end(done - 1, {"outputs": result})
                        check()
                observers.on_predict_end()
            if not outputs:
                raise DataError("The data to predict for yielded no batch.")
            parts = [_on_host(backend, result, group) for result, group in outputs]
            return tree.map_leaves(lambda *x: np.concatenate(x), *parts)

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
        with self._trainable_as_compiled():
            return self._on_batch(
                "train", x, y, sample_weight, class_weight, return_dict
            )

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
            result = self._step("predict")([batch])
            return tree.map_leaves(backend.to_numpy, result)

    def _one_batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
        sizes = [len(a) for a in tree.flatten(x) if np.ndim(a)]
        data = make_adapter(
            x,
            y,
            sample_weight,
            batch_size=max(sizes, default=1),
            class_weight=class_weight,
        )
        if y is not None:
            data.inspect = self._label_check()
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
            logs = read_logs(_named(self._step(kind)([batch])))
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values


def _on_host(backend: Backend, result: Any, group: Group) -> Any:
    """Return outputs as arrays; the first axis of those of `Rows` counts batches."""

    def leaf(x: Any) -> Any:
        array = backend.to_numpy(x)
        if not isinstance(group, Rows):
            return array
        array = array[: len(group)].reshape(-1, *array.shape[2:])
        filled = group.samples < group.numbers.size
        return array[: group.samples] if filled else array

    return tree.map_leaves(leaf, result)


def _named(logs: Any) -> dict[str, Any]:
    return dict(logs) if isinstance(logs, dict) else {"loss": logs}


def _due(epoch: int, frequency: int | Sequence[int]) -> bool:
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency
