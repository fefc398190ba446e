"""`Callback`: the hooks."""

from __future__ import annotations

from typing import Any, ClassVar

from polykeras.arguments import CheckedArguments
from polykeras.naming import describe, settings

__all__ = ["Callback"]

Logs = dict[str, Any] | None


class Callback(CheckedArguments):
    """Base class of callbacks; override the hooks you need.

    Batch and epoch hooks get the logs so far: metric names to floats.

    A callback that gathers something over a run returns it in `get_state` and takes
    it up in `set_state`, so that a run that was broken off can go on.

    Attributes:
        params: ``verbose``, ``epochs`` and ``steps`` of the run.
    """

    # Place among the others at the end of batches and epochs.
    _place: ClassVar[int] = 0

    @property
    def _acts_on_batches(self) -> bool:
        """Whether batch hooks, where there are some, must run after each batch."""
        return True

    def __init__(self) -> None:
        """Start without a model."""
        self.params: dict[str, Any] = {}
        self._model: Any = None

    @property
    def model(self) -> Any:
        """The model being trained."""
        return self._model

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive the parameters of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receive the model."""
        self._model = model

    def __repr__(self) -> str:
        return describe(self, settings(self))

    def get_state(self) -> dict[str, Any]:
        """Return what the callback has gathered, for a checkpoint.

        Returns:
            Numbers, strings, None, NumPy arrays, and lists and dicts of them.
        """
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take up what `get_state` returned, after `on_train_begin`.

        Args:
            state: With lists in place of tuples.
        """

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Run as `on_train_batch_begin` does by default."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Run as `on_train_batch_end` does by default."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Run before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Run after an epoch, validation included."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Run before a training batch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Run after a training batch."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Run before an evaluation batch, also during validation."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Run after an evaluation batch, also during validation."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Run before a prediction batch."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Run after a prediction batch."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Run before training."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Run after training."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Run before evaluation or validation."""

    def on_test_end(self, logs: Logs = None) -> None:
        """Run after evaluation or validation."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Run before prediction."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """Run after prediction."""
