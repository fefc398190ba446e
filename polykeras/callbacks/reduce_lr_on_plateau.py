"""`ReduceLROnPlateau`: lower the learning rate when progress stalls."""

from __future__ import annotations

from typing import Any

from polykeras.callbacks._monitor import better_than, monitored, worst
from polykeras.callbacks.callback import Callback
from polykeras.errors import ArgumentError
from polykeras.utils.printing import say

__all__ = ["ReduceLROnPlateau"]

_STATE = ("best", "wait", "cooldown_counter")


class ReduceLROnPlateau(Callback):
    """Multiply the learning rate by a factor when a value stops improving.

    Args:
        monitor: Name in the logs.
        factor: Below 1.
        patience: Epochs without improvement to wait.
        verbose: Whether to say so.
        mode: ``"min"``, ``"max"``, or ``"auto"`` to tell from the name.
        min_delta: Smallest change that counts.
        cooldown: Epochs to wait after a reduction before counting again.
        min_lr: The rate never falls below it.

    Raises:
        ArgumentError: If `factor` is 1 or more.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        """Remember the settings."""
        super().__init__()
        if factor >= 1.0:
            raise ArgumentError(
                f"ReduceLROnPlateau needs a factor below 1 to lower the learning rate, "
                f"got {factor}."
            )
        self.monitor = monitor
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.min_delta = min_delta
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._better = better_than(monitor, mode, min_delta)
        self._reset()

    def _reset(self) -> None:
        self.best = worst(self.monitor, self.mode)
        self.wait = 0
        self.cooldown_counter = 0

    def get_state(self) -> dict[str, Any]:
        """Return the best value and the counters."""
        return {name: getattr(self, name) for name in _STATE}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take up what `get_state` returned."""
        for name in _STATE:
            setattr(self, name, state[name])

    def on_train_begin(self, logs: Any = None) -> None:
        """Start anew."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Lower the rate when patience ends, and log it."""
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = monitored(logs, self.monitor, "ReduceLROnPlateau")
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self._better(value, self.best):
            self.best = value
            self.wait = 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        old = float(self.model.optimizer.learning_rate)
        if old <= self.min_lr:
            return
        new = max(old * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = new
        if self.verbose:
            say(f"Epoch {epoch + 1}: learning rate lowered to {new:.6g}")
        self.cooldown_counter = self.cooldown
        self.wait = 0
