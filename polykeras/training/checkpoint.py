"""Checkpoints: the whole state of a training run, written so that none is lost.

Each checkpoint is a folder that appears under its name when all of it has reached
the disk. Its manifest holds the digest of every file, so that damage is noticed and
the checkpoint before is used instead.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from polykeras.callbacks._monitor import better_than
from polykeras.errors import ArgumentError, DataError
from polykeras.storage.atomic import make_folder, sync_folder, working_folder
from polykeras.storage.checkpoint_files import (
    checkpoint_folder,
    checkpoint_numbers,
    open_checkpoint,
    read_manifest,
    write_checkpoint,
)
from polykeras.training._resuming import Resumption, is_number, snapshot

__all__ = ["Checkpoint"]

# What folders are for that are being written or removed.
_WORK: Final = "checkpoint"


class Checkpoint:
    """Writes and restores checkpoints in a folder.

    A checkpoint holds weights, optimizer, seeds and metrics; made by a callback
    during `fit`, also the place in the data and the state of the callbacks, so that
    a run goes on in the middle of an epoch, to the same bits on the same backend.

    Whenever the process ends, also while a checkpoint is written, this one or the
    one before can be restored.

    Args:
        directory: The folder; made when it is missing.
        keep_last: Number of checkpoints to keep.
        keep_best: Number of checkpoints to keep besides for the value of `monitor`.
        monitor: Name in the logs.
        mode: ``"min"``, ``"max"``, or ``"auto"`` to tell from the name.

    Raises:
        ArgumentError: If a number is not positive or `mode` is unknown.

    >>> import tempfile
    >>> import polykeras as keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("adam", "mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = keras.training.Checkpoint(folder)
    ...     _ = checkpoint.save(model)
    ...     checkpoint.restore(model)
    True
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        keep_last: int = 2,
        keep_best: int = 0,
        monitor: str = "val_loss",
        mode: str = "auto",
    ) -> None:
        """Check the arguments."""
        if keep_last < 1 or keep_best < 0:
            raise ArgumentError(
                "Checkpoint keeps at least the last one: keep_last must be positive "
                f"and keep_best not negative, got {keep_last} and {keep_best}."
            )
        self.directory = Path(directory)
        self.keep_last = keep_last
        self.keep_best = keep_best
        self.monitor = monitor
        self._better = better_than(monitor, mode)

    # -- writing ---------------------------------------------------------------

    def save(self, model: Any, logs: Mapping[str, Any] | None = None) -> Path:
        """Write a checkpoint and remove those that are no longer to be kept.

        A callback may save at the beginning or the end of an epoch and after a batch.
        A run that takes the checkpoint up goes on behind this call: with the callbacks
        that the hook had yet to reach, then with the next batch.

        Args:
            model: A compiled model.
            logs: Values that tell which checkpoints are best.

        Returns:
            The folder of the checkpoint.
        """
        taken = snapshot(model)
        make_folder(self.directory)
        numbers = checkpoint_numbers(self.directory)
        number = numbers[-1] + 1 if numbers else 0
        target = checkpoint_folder(self.directory, number)
        values = {k: float(v) for k, v in (logs or {}).items() if is_number(v)}
        with working_folder(self.directory, _WORK) as work:
            write_checkpoint(work, taken.groups, taken.data, values)
            work.rename(target)
        sync_folder(self.directory)
        self._prune(number)
        return target

    def _prune(self, newest: int) -> None:
        numbers = checkpoint_numbers(self.directory)
        kept = {newest, *numbers[-self.keep_last :], *self._best(numbers)}
        doomed = [
            checkpoint_folder(self.directory, n) for n in numbers if n not in kept
        ]
        if doomed:
            # Half of a checkpoint must not stand under its name.
            with working_folder(self.directory, _WORK) as work:
                for folder in doomed:
                    folder.rename(work / folder.name)

    def _best(self, numbers: list[int]) -> list[int]:
        """Return the numbers of the best checkpoints, best first."""
        if not self.keep_best:
            return []
        rated = [(n, self._value(n)) for n in numbers]
        known = [(n, v) for n, v in rated if v is not None]
        rising = self._better(1.0, 0.0)
        # Of equal values the first one stays: the later one is no improvement.
        known.sort(key=lambda entry: (-entry[1] if rising else entry[1], entry[0]))
        return [n for n, _ in known[: self.keep_best]]

    def _value(self, number: int) -> float | None:
        try:
            logs = read_manifest(checkpoint_folder(self.directory, number))["logs"]
            return float(logs[self.monitor])
        except (DataError, KeyError, TypeError, ValueError):
            return None

    # -- reading ---------------------------------------------------------------

    @property
    def latest(self) -> Path | None:
        """The folder of the newest checkpoint, or None."""
        numbers = checkpoint_numbers(self.directory)
        return checkpoint_folder(self.directory, numbers[-1]) if numbers else None

    @property
    def best(self) -> Path | None:
        """The folder of the checkpoint with the best value, or None."""
        rated = Checkpoint(self.directory, keep_best=1, monitor=self.monitor)
        rated._better = self._better
        best = rated._best(checkpoint_numbers(self.directory))
        return checkpoint_folder(self.directory, best[0]) if best else None

    def restore(self, model: Any, path: str | os.PathLike[str] | None = None) -> bool:
        """Restore a checkpoint; the next `fit` goes on where it was made.

        Args:
            model: The model, compiled as it was.
            path: A checkpoint's folder; None takes the newest one that is whole.

        Returns:
            Whether there was one.

        Raises:
            DataError: If all checkpoints are damaged, or the one at `path`.
            ShapeError: If the checkpoint is of another model; it is unchanged then.
        """
        if path is not None:
            self._restore(model, Path(path))
            return True
        numbers = checkpoint_numbers(self.directory)
        for number in reversed(numbers):
            folder = checkpoint_folder(self.directory, number)
            try:
                self._restore(model, folder)
            except DataError as error:
                warnings.warn(
                    f"The checkpoint {folder} cannot be used, and the one before is "
                    f"tried: {error}",
                    stacklevel=2,
                )
            else:
                return True
        if numbers:
            raise DataError(f"All checkpoints in {self.directory} are damaged.")
        return False

    def _restore(self, model: Any, folder: Path) -> None:
        with open_checkpoint(folder) as file:
            groups = {w: {k: s[k] for k in s} for w, s in file.groups.items()}
            resumption = Resumption(groups, file.state)
        resumption.restore_model(model)
        model._resumption = resumption
