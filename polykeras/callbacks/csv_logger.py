"""`CSVLogger`: the logs of every epoch in a file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import IO, Any

import numpy as np

from polykeras.callbacks.callback import Callback

__all__ = ["CSVLogger"]


class CSVLogger(Callback):
    """Write the logs of every epoch to a CSV file.

    Args:
        filename: The file.
        separator: Between the columns.
        append: Whether to go on with an existing file.
    """

    def __init__(
        self, filename: str | Path, separator: str = ",", append: bool = False
    ) -> None:
        """Remember the file."""
        super().__init__()
        self.filename = Path(filename)
        self.separator = separator
        self.append = append
        self._file: IO[str] | None = None
        self._writer: csv.DictWriter[str] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Open the file."""
        self._continues = (
            self.append and self.filename.exists() and self.filename.stat().st_size > 0
        )
        self._file = self.filename.open("a" if self.append else "w", newline="")
        self._writer = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write a row."""
        logs = logs or {}
        if self._file is None:
            return
        if self._writer is None:
            columns = ["epoch", *sorted(logs)]
            self._writer = csv.DictWriter(
                self._file, columns, delimiter=self.separator, restval="NA",
                extrasaction="ignore",
            )
            if not self._continues:
                self._writer.writeheader()
        row = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in logs.items()}
        self._writer.writerow({"epoch": epoch, **row})
        self._file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
