"""What happens to one batch: the methods that users override."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from polykeras import ops, tree
from polykeras.autodiff import value_and_grad
from polykeras.errors import StateError
from polykeras.layers._tracking import unique, while_frozen
from polykeras.training._compile_loss import CompileLoss
from polykeras.training._compile_metrics import CompileMetrics
from polykeras.training._samples import masked
from polykeras.training.data import unpack

if TYPE_CHECKING:
    from polykeras.backend import Tensor
    from polykeras.variables import Variable

__all__ = ["BatchSteps"]


class BatchSteps:
    """The part of `Trainer` that learns from, evaluates or predicts one batch."""

    name: str
    losses: list[Any]
    trainable_variables: list[Variable]
    optimizer: Any
    _loss_tracker: Any
    _compile_loss: CompileLoss | None
    _compile_metrics: CompileMetrics | None
    _clear_losses: Callable[[], None]

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
            loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
            return self.optimizer.scale_loss(loss), (loss, y_pred)

        variables = self.trainable_variables
        if variables:
            differentiate = value_and_grad(loss_of_batch, variables, has_aux=True)
            (_, (loss, y_pred)), grads = differentiate()
            self.optimizer.apply(grads, variables)
        else:
            _, (loss, y_pred) = loss_of_batch()
        self._track_loss(loss, _batch_size(x))
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluate one batch.

        Args:
            data: ``(x, y, sample_weight)`` or less.

        Returns:
            Names to scalars, for the logs.
        """
        x, y, sample_weight = unpack(data)
        y_pred = self(x, training=False)  # type: ignore[operator]
        loss = self._loss_of(x, y, y_pred, sample_weight, training=False)
        self._track_loss(loss, _batch_size(x))
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def _test_step_of_some(self, data: Any, counts: Tensor) -> dict[str, Any]:
        """Evaluate the samples of a batch that count.

        Args:
            data: As for `test_step`.
            counts: Which samples count, bool of shape (B,).
        """
        x, y, sample_weight = unpack(data)
        y_pred = self(x, training=False)  # type: ignore[operator]
        y_pred = tree.map_leaves(lambda out: masked(out, counts), y_pred)
        size = ops.sum(ops.cast(counts, "float32"))
        loss = self._total_loss(y, y_pred, sample_weight, size)
        assert loss is not None
        self._track_loss(loss, size)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Return the outputs for one batch."""
        x, _, _ = unpack(data)
        return self(x, training=False)  # type: ignore[operator]

    def _loss_of(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, *, training: bool
    ) -> Tensor:
        """Call `compute_loss`, whose overrides need not take `training`."""
        wanted = inspect.signature(self.compute_loss).parameters
        takes = "training" in wanted or any(
            p.kind is p.VAR_KEYWORD for p in wanted.values()
        )
        more = {"training": training} if takes else {}
        return self.compute_loss(
            x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **more
        )

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
            StateError: If there is no loss at all.
        """
        total = self._total_loss(y, y_pred, sample_weight)
        if total is None:
            if training:
                raise StateError(
                    f"The model {self.name!r} has no loss to minimise. Pass loss= to "
                    "compile, call add_loss in a layer, or override compute_loss."
                )
            return ops.zeros(())
        return total

    def _total_loss(
        self, y: Any, y_pred: Any, sample_weight: Any, size: Any = None
    ) -> Tensor | None:
        """Return the compiled losses plus those of layers, or None without any."""
        parts: list[Any] = []
        if self._compile_loss is not None:
            names = getattr(self, "output_names", None)
            loss = self._compile_loss(y, y_pred, sample_weight, names, size)
            if loss is not None:
                parts.append(loss)
        parts += [ops.sum(ops.cast(x, "float32")) for x in self.losses]
        self._clear_losses()
        if not parts:
            return None
        total: Tensor = parts[0]
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
            names = getattr(self, "output_names", None)
            self._compile_metrics.update_state(y, y_pred, sample_weight, names)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the value of each of `metrics` by name: the loss first."""
        compiled = self._compile_metrics
        metrics = self.metrics
        # A class that lists its own metrics has others neither reset nor reported.
        listed = {id(m) for m in metrics}
        results: dict[str, Any] = {}
        placed: set[int] = set()
        for metric in self._loss_metrics():
            if id(metric) in listed:
                results[metric.name] = metric.result()
                placed.add(id(metric))
        if compiled is not None and listed.intersection(map(id, compiled.metrics)):
            results |= compiled.result()
            placed |= {id(m) for m in compiled.metrics}
        for metric in metrics:
            if id(metric) not in placed:
                value = metric.result()
                results |= value if isinstance(value, dict) else {metric.name: value}
        return results

    def _track_loss(self, loss: Tensor, size: Any) -> None:
        if self._loss_tracker is not None:
            self._loss_tracker.update_state(loss, sample_weight=size)

    def _loss_metrics(self) -> list[Any]:
        """Return the running means of the total loss and those of the outputs."""
        found = [] if self._loss_tracker is None else [self._loss_tracker]
        if self._compile_loss is not None:
            found += self._compile_loss.metrics
        return found

    @property
    @while_frozen
    def metrics(self) -> list[Any]:
        """The metrics: the loss, those of its outputs, compiled ones, and others."""
        return unique([*self._step_metrics(), *super().metrics])  # type: ignore[misc]

    def _step_metrics(self) -> list[Any]:
        """Return the metrics that `train_step` updates by itself."""
        found = self._loss_metrics()
        if self._compile_metrics is not None:
            found += self._compile_metrics.metrics
        return found

    @property
    def metrics_names(self) -> list[str]:
        """The names of the metrics."""
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()


def _batch_size(x: Any) -> int | None:
    """Return the length of the first tensor with axes, None if there is none."""
    leaves = [v for v in tree.flatten(x) if hasattr(v, "shape") and v.shape]
    return leaves[0].shape[0] if leaves else None
