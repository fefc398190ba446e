"""`ModelCheckpoint`: models or weights written during training."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from polykeras.callbacks._frequency import SaveFrequency
from polykeras.callbacks._monitor import better_than, monitored, worst
from polykeras.callbacks.callback import Callback
from polykeras.errors import ArgumentError

__all__ = ["ModelCheckpoint"]

# Suffixes of the file's name, by `save_weights_only`.
_SUFFIXES = {True: (".weights.h5", ".safetensors"), False: (".keras",)}


class ModelCheckpoint(Callback):
    """Write the model, or its weights, after epochs or after a number of batches.

    Each file is the old one or the new one, also when the process is killed. To take
    up a run that was broken off, use `BackupAndRestore`.

    Args:
        filepath: May name logs, ``"m{epoch:02d}-{val_loss:.2f}.keras"``. Ends in
            ``.keras``, or with `save_weights_only` in ``.weights.h5`` or
            ``.safetensors``.
        monitor: Name in the logs that says which epoch is best.
        verbose: Whether to say what is written.
        save_best_only: Whether to write only when the value improves.
        save_weights_only: Whether to write the weights alone.
        mode: ``"min"``, ``"max"``, or ``"auto"`` to tell from the name.
        save_freq: ``"epoch"``, or a number of batches.
        initial_value_threshold: A value the first file must improve on.

    Raises:
        ArgumentError: If the file name or `save_freq` cannot be used.
    """

    def __init__(
        self,
        filepath: str | Path,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        """Check the arguments."""
        super().__init__()
        self.filepath = os.fspath(filepath)
        suffixes = _SUFFIXES[bool(save_weights_only)]
        if not self.filepath.endswith(suffixes):
            raise ArgumentError(
                f"With save_weights_only={save_weights_only} ModelCheckpoint needs a "
                f"file name that ends in {' or '.join(suffixes)}; got "
                f"{self.filepath!r}."
            )
        self._frequency = SaveFrequency(save_freq)
        self.monitor = monitor
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._better = better_than(monitor, mode)
        self.best = (
            worst(monitor, mode)
            if initial_value_threshold is None
            else initial_value_threshold
        )
        self._epoch = 0

    @property
    def _acts_on_batches(self) -> bool:
        return not self._frequency.by_epoch

    def get_state(self) -> dict[str, Any]:
        """Return the best value and how many batches were counted."""
        return {"best": self.best, **self._frequency.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take up what `get_state` returned."""
        self.best = state["best"]
        self._frequency.set_state(state)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the epoch."""
        self._epoch = epoch
        self._frequency.begin_epoch()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Write after every `save_freq` batches."""
        if self._frequency.due(batch):
            self._save(self._epoch, {"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write after the epoch."""
        if self._frequency.by_epoch:
            self._save(epoch, logs or {})

    def _save(self, epoch: int, logs: dict[str, Any]) -> None:
        if self.save_best_only:
            value = monitored(logs, self.monitor, "ModelCheckpoint")
            if value is None or not self._better(value, self.best):
                return
            self.best = value
        try:
            path = self.filepath.format(epoch=epoch + 1, **logs)
        except KeyError as error:
            raise ArgumentError(
                f"The file name {self.filepath!r} names {error}, which is not in the "
                f"logs: {', '.join(logs)}."
            ) from error
        if self.verbose:
            print(f"Epoch {epoch + 1}: writing {path}")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
