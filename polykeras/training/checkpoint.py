"""Checkpoints: the whole state of a training run, written so that none is lost.

Each checkpoint is a folder that appears under its name when all of it has reached
the disk. Its manifest holds the digest of every file, so that damage is noticed and
the checkpoint before is used instead.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from polykeras.callbacks._monitor import better_than
from polykeras.errors import ArgumentError, DataError
from polykeras.storage.atomic import (
    make_folder,
    sync_file,
    sync_folder,
    working_folder,
)
from polykeras.storage.json_data import parse_json_object
from polykeras.storage.safetensors_format import open_safetensors, write_safetensors
from polykeras.training._resuming import Resumption, is_number, snapshot

__all__ = ["Checkpoint"]

_MANIFEST: Final = "manifest.json"
_ARRAYS: Final = "arrays.safetensors"
_STATE: Final = "state.json"
_NAME: Final = re.compile(r"checkpoint-(\d{8,})")
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
        numbers = self._numbers()
        number = numbers[-1] + 1 if numbers else 0
        target = self._folder(number)
        values = {k: float(v) for k, v in (logs or {}).items() if is_number(v)}
        with working_folder(self.directory, _WORK) as work:
            write_safetensors(work / _ARRAYS, taken.groups)
            (work / _STATE).write_text(json.dumps(taken.data))
            files = {n: _described(work / n) for n in (_ARRAYS, _STATE)}
            manifest = {"format": 1, "logs": values, "files": files}
            (work / _MANIFEST).write_text(json.dumps(manifest, indent=1))
            for name in (_ARRAYS, _STATE, _MANIFEST):
                sync_file(work / name)
            sync_folder(work)
            work.rename(target)
        sync_folder(self.directory)
        self._prune(number)
        return target

    def _folder(self, number: int) -> Path:
        return self.directory / f"checkpoint-{number:08d}"

    def _numbers(self) -> list[int]:
        if not self.directory.is_dir():
            return []
        matches = [_NAME.fullmatch(p.name) for p in self.directory.iterdir()]
        return sorted(int(m[1]) for m in matches if m)

    def _prune(self, newest: int) -> None:
        numbers = self._numbers()
        kept = {newest, *numbers[-self.keep_last :], *self._best(numbers)}
        doomed = [self._folder(n) for n in numbers if n not in kept]
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
            logs = self._manifest(number)["logs"]
            return float(logs[self.monitor])
        except (DataError, KeyError, TypeError, ValueError):
            return None

    # -- reading ---------------------------------------------------------------

    @property
    def latest(self) -> Path | None:
        """The folder of the newest checkpoint, or None."""
        numbers = self._numbers()
        return self._folder(numbers[-1]) if numbers else None

    @property
    def best(self) -> Path | None:
        """The folder of the checkpoint with the best value, or None."""
        rated = Checkpoint(self.directory, keep_best=1, monitor=self.monitor)
        rated._better = self._better
        best = rated._best(self._numbers())
        return self._folder(best[0]) if best else None

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
        numbers = self._numbers()
        for number in reversed(numbers):
            try:
                self._restore(model, self._folder(number))
            except DataError as error:
                warnings.warn(
                    f"The checkpoint {self._folder(number)} cannot be used, and the "
                    f"one before is tried: {error}",
                    stacklevel=2,
                )
            else:
                return True
        if numbers:
            raise DataError(f"All checkpoints in {self.directory} are damaged.")
        return False

    def _restore(self, model: Any, folder: Path) -> None:
        files = _entries(_read_manifest(folder))
        for name in (_ARRAYS, _STATE):
            if not (folder / name).is_file() or files.get(name) != _described(
                folder / name
            ):
                raise DataError(f"{folder / name} is not what its manifest says.")
        state = parse_json_object((folder / _STATE).read_bytes(), str(folder / _STATE))
        with open_safetensors(folder / _ARRAYS) as (stores, _):
            groups = {w: {k: s[k] for k in s} for w, s in stores.items()}
        resumption = Resumption(groups, state)
        resumption.restore_model(model)
        model._resumption = resumption

    def _manifest(self, number: int) -> dict[str, Any]:
        return _read_manifest(self._folder(number))


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / _MANIFEST
    if not path.is_file():
        raise DataError(f"{folder} is no checkpoint: it lacks {_MANIFEST}.")
    return parse_json_object(path.read_bytes(), str(path))


def _entries(manifest: dict[str, Any]) -> dict[str, Any]:
    files = manifest.get("files")
    return files if isinstance(files, dict) else {}


def _described(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}
