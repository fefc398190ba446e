"""`LearningRateScheduler`: the learning rate as a function of the epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from polykeras.callbacks.callback import Callback
from polykeras.errors import ArgumentError
from polykeras.utils.printing import say

__all__ = ["LearningRateScheduler"]


class LearningRateScheduler(Callback):
    """Set the learning rate before every epoch.

    Args:
        schedule: Called with the epoch and the current rate; returns the new rate.
        verbose: Whether to print it.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        """Remember the schedule."""
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the rate.

        Raises:
            ArgumentError: If the schedule returns no number.
        """
        current = float(self.model.optimizer.learning_rate)
        takes_rate = len(inspect.signature(self.schedule).parameters) > 1
        rate = self.schedule(epoch, current) if takes_rate else self.schedule(epoch)
        try:
            new = float(rate)
        except (TypeError, ValueError) as error:
            raise ArgumentError(
                f"The schedule must return a float, got {rate!r} for epoch {epoch}."
            ) from error
        self.model.optimizer.learning_rate = new
        if self.verbose:
            say(f"Epoch {epoch + 1}: learning rate {new:.6g}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Add the rate to the logs."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)
