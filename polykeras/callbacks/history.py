"""`History`: the logs of every epoch."""

from __future__ import annotations

from typing import Any

from polykeras.callbacks.callback import Callback

__all__ = ["History"]


class History(Callback):
    """Records the logs of every epoch; `fit` returns it.

    Attributes:
        epoch: The epochs' numbers.
        history: Metric name to its value after each epoch.
    """

    # After those that add to the logs.
    _place = 1

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Any = None) -> None:
        """Start counting epochs anew, and keep what was recorded before."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Append the logs."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self

    def get_state(self) -> dict[str, Any]:
        """Return the record."""
        return {"epoch": self.epoch, "history": self.history}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take the record up."""
        self.epoch = list(state["epoch"])
        self.history = {k: list(v) for k, v in state["history"].items()}

    def __repr__(self) -> str:
        return f"<History of {len(self.epoch)} epochs: {', '.join(self.history)}>"
