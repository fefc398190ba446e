"""`BackupAndRestore`: let a run that was broken off go on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from polykeras.callbacks._frequency import SaveFrequency
from polykeras.callbacks.callback import Callback
from polykeras.errors import ArgumentError

__all__ = ["BackupAndRestore"]


class BackupAndRestore(Callback):
    """Write checkpoints during training, and start from the newest one.

    Run the same script again after it was interrupted or killed: `fit` goes on where
    the newest backup was made, in the middle of an epoch too, and ends with the same
    weights as a run without interruption (the same bits on the same backend). Order
    of the data, seeds, optimizer, metrics and the other callbacks go on as well.

    A generator must yield the same batches again; those that were done are skipped.

    Args:
        backup_dir: A folder for this run alone.
        save_freq: ``"epoch"``, or a number of batches.
        double_checkpoint: Whether a number of batches also means every epoch.
        delete_checkpoint: Whether to remove the folder when training ends normally.

    Raises:
        ArgumentError: If an argument cannot be used.
    """

    # After all that change the state of a run.
    _place = 2

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        """Check the arguments."""
        from polykeras.training.checkpoint import Checkpoint

        super().__init__()
        if not os.fspath(backup_dir):
            raise ArgumentError("BackupAndRestore needs a folder, got an empty name.")
        self._frequency = SaveFrequency(save_freq)
        self.backup_dir = Path(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._checkpoint = Checkpoint(backup_dir)

    @property
    def _acts_on_batches(self) -> bool:
        return self.save_freq != "epoch"

    def get_state(self) -> dict[str, Any]:
        """Return how many batches were counted."""
        return self._frequency.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        """Count on."""
        self._frequency.set_state(state)

    def on_train_begin(self, logs: Any = None) -> None:
        """Restore the newest backup, if there is one."""
        self._frequency = SaveFrequency(self.save_freq)
        self._checkpoint.restore(self.model)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Count batches from the first of the epoch."""
        self._frequency.begin_epoch()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Write a backup after every `save_freq` batches."""
        if self._frequency.due(batch):
            self._checkpoint.save(self.model, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write a backup after the epoch."""
        if self._frequency.by_epoch or self.double_checkpoint:
            self._checkpoint.save(self.model, logs)

    def on_train_end(self, logs: Any = None) -> None:
        """Remove the backups of a run that is complete."""
        if self.delete_checkpoint:
            shutil.rmtree(self.backup_dir, ignore_errors=True)
