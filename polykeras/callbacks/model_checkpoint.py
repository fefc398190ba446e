"""`ModelCheckpoint`: weights written during training."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from polykeras.callbacks._monitor import better_than, monitored, worst
from polykeras.callbacks.callback import Callback
from polykeras.errors import ArgumentError

__all__ = ["ModelCheckpoint"]

_SUFFIXES = (".weights.h5", ".safetensors")


class ModelCheckpoint(Callback):
    """Write the weights after epochs or after a number of batches.

    Args:
        filepath: May name logs, ``"w{epoch:02d}-{val_loss:.2f}.weights.h5"``; ends
            in ``.weights.h5`` or ``.safetensors``.
        monitor: Name in the logs that says which epoch is best.
        verbose: Whether to say what is written.
        save_best_only: Whether to write only when the value improves.
        save_weights_only: Must be True: whole models are not written yet.
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
        if not save_weights_only or not self.filepath.endswith(_SUFFIXES):
            raise ArgumentError(
                "ModelCheckpoint writes weights: pass save_weights_only=True and a "
                f"file name that ends in {' or '.join(_SUFFIXES)}; got "
                f"{self.filepath!r} with save_weights_only={save_weights_only}."
            )
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise ArgumentError(
                "save_freq is 'epoch' or a positive number of batches, got "
                f"{save_freq!r}."
            )
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
        self._batches = 0
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Write after every `save_freq` batches."""
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches % int(self.save_freq) == 0:
            self._save(self._epoch, {"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write after the epoch."""
        if self.save_freq == "epoch":
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
        self.model.save_weights(path, overwrite=True)
