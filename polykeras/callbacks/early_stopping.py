"""`EarlyStopping`: end training when a value no longer improves."""

from __future__ import annotations

from typing import Any

from polykeras.callbacks._monitor import better_than, monitored, worst
from polykeras.callbacks.callback import Callback
from polykeras.utils.printing import say

__all__ = ["EarlyStopping"]

_STATE = ("wait", "stopped_epoch", "best", "best_epoch", "best_weights")


class EarlyStopping(Callback):
    """Stop when a monitored value has not improved for some epochs.

    Args:
        monitor: Name in the logs.
        min_delta: Smallest change that counts.
        patience: Epochs without improvement to wait.
        verbose: Whether to say so.
        mode: ``"min"``, ``"max"``, or ``"auto"`` to tell from the name.
        baseline: A value to beat within the patience.
        restore_best_weights: Whether the model gets the weights of the best epoch.
        start_from_epoch: Epochs before monitoring starts.

    Raises:
        ArgumentError: If `mode` is unknown.

    >>> import numpy as np
    >>> import polykeras as keras
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(0.0), "mse")
    >>> stop = EarlyStopping("loss", patience=2)
    >>> data = np.ones((4, 1))
    >>> model.fit(data, data, epochs=9, verbose=0, callbacks=[stop]).epoch
    [0, 1, 2]
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        """Remember the settings."""
        super().__init__()
        self.monitor = monitor
        self.min_delta = abs(min_delta)
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._better = better_than(monitor, mode, min_delta)
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def get_state(self) -> dict[str, Any]:
        """Return the best epoch, its weights, and how long it has been ahead."""
        return {name: getattr(self, name) for name in _STATE}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take up what `get_state` returned."""
        for name in _STATE:
            setattr(self, name, state[name])

    def on_train_begin(self, logs: Any = None) -> None:
        """Start anew."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare with the best epoch and stop when patience ends."""
        value = monitored(logs or {}, self.monitor, "EarlyStopping")
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        reference = worst(self.monitor, self.mode) if self.best is None else self.best
        if self._better(value, reference):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Restore the best weights."""
        if self.verbose and self.stopped_epoch:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                say(f"Restoring the weights of epoch {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)
