"""`CSVLogger`: the logs of every epoch in a file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

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
        self._columns: list[str] | None = None
        self._continues = False

    def get_state(self) -> dict[str, Any]:
        """Return what stands in the file."""
        text = self.filename.read_text() if self.filename.exists() else ""
        return {"columns": self._columns, "text": text, "continues": self._continues}

    def set_state(self, state: dict[str, Any]) -> None:
        """Write again what stood in the file."""
        self.filename.write_text(state["text"])
        self._columns, self._continues = state["columns"], state["continues"]

    def on_train_begin(self, logs: Any = None) -> None:
        """Empty the file, unless it is to go on."""
        self._columns = None
        self._continues = (
            self.append and self.filename.exists() and self.filename.stat().st_size > 0
        )
        if not self._continues:
            self.filename.write_text("")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write a row."""
        logs = logs or {}
        first = self._columns is None
        columns = self._columns = self._columns or ["epoch", *sorted(logs)]
        row = {
            k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in logs.items()
        }
        # The file is open for a row only, so that whatever ends training leaves it
        # closed and complete.
        with self.filename.open("a", newline="") as file:
            writer = csv.DictWriter(
                file,
                columns,
                delimiter=self.separator,
                restval="NA",
                extrasaction="ignore",
            )
            if first and not self._continues:
                writer.writeheader()
            writer.writerow({"epoch": epoch, **row})
