"""`ProgbarLogger`: progress on the screen."""

from __future__ import annotations

from typing import Any

from polykeras import config
from polykeras.callbacks.callback import Callback
from polykeras.utils.progbar import Progbar

__all__ = ["ProgbarLogger"]


class ProgbarLogger(Callback):
    """Shows epochs, steps, time and metrics."""

    def __init__(self) -> None:
        """Start without a bar."""
        super().__init__()
        self._bar: Progbar | None = None
        self._training = False
        self._seen = 0

    @property
    def _acts_on_batches(self) -> bool:
        # It draws now and then, and counts batches by their numbers.
        return False

    def _verbose(self) -> int:
        verbose = self.params.get("verbose", 1)
        if verbose == "auto":
            return 1 if config.is_interactive_logging_enabled() else 2
        return int(verbose)

    def _begin(self) -> None:
        self._seen = 0
        self._bar = Progbar(self.params.get("steps"), verbose=self._verbose())

    def on_train_begin(self, logs: Any = None) -> None:
        """Show training rather than validation."""
        self._training = True

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Name the epoch."""
        self._begin()
        epochs = self.params.get("epochs") or 0
        if self._verbose() and epochs > 1 and self._bar is not None:
            self._bar.headline(f"Epoch {epoch + 1}/{epochs}")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Advance the bar."""
        self._advance(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Finish the bar with the epoch's logs."""
        if self._bar is not None:
            self._bar.update(self._seen, logs, finalize=True)

    def on_train_end(self, logs: Any = None) -> None:
        """Forget the run."""
        self._training = False

    def on_test_begin(self, logs: Any = None) -> None:
        """Begin a bar, unless this is validation inside an epoch."""
        if not self._training:
            self._begin()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Advance the bar, unless this is validation."""
        if not self._training:
            self._advance(batch, logs)

    def on_test_end(self, logs: Any = None) -> None:
        """Finish the bar, unless this is validation."""
        if not self._training and self._bar is not None:
            self._bar.update(self._seen, logs, finalize=True)

    def on_predict_begin(self, logs: Any = None) -> None:
        """Begin a bar."""
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Advance the bar."""
        self._advance(batch, None)

    def on_predict_end(self, logs: Any = None) -> None:
        """Finish the bar."""
        if self._bar is not None:
            self._bar.update(self._seen, None, finalize=True)

    def _advance(self, batch: int, logs: Any) -> None:
        self._seen = batch + 1
        if self._bar is not None:
            self._bar.update(self._seen, logs, finalize=False)
