"""When to write a file: after epochs, or after a number of batches."""

from __future__ import annotations

from typing import Any

from polykeras.errors import ArgumentError

__all__ = ["SaveFrequency"]


class SaveFrequency:
    """Counts batches over the epochs of a run.

    Args:
        save_freq: ``"epoch"``, or a number of batches.

    Raises:
        ArgumentError: If it is neither.
    """

    def __init__(self, save_freq: str | int) -> None:
        """Check the frequency."""
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise ArgumentError(
                "save_freq is 'epoch' or a positive number of batches, got "
                f"{save_freq!r}."
            )
        self.by_epoch = save_freq == "epoch"
        self._every = 0 if isinstance(save_freq, str) else save_freq
        self._batches = 0
        self._last = -1

    def begin_epoch(self) -> None:
        """Expect the first batch of an epoch next."""
        self._last = -1

    def due(self, batch: int) -> bool:
        """Count up to a batch, and return whether it is time to write.

        Args:
            batch: Number of the batch in its epoch. A step may run several.
        """
        before = self._batches
        self._batches += batch - self._last
        self._last = batch
        if self.by_epoch:
            return False
        return self._batches // self._every > before // self._every

    def get_state(self) -> dict[str, Any]:
        """Return the counters."""
        return {"batches": self._batches, "last": self._last}

    def set_state(self, state: dict[str, Any]) -> None:
        """Count on."""
        self._batches, self._last = state["batches"], state["last"]
