"""`TerminateOnNaN`: end training when the loss is no longer a number."""

from __future__ import annotations

from typing import Any

import numpy as np

from polykeras.callbacks.callback import Callback
from polykeras.errors import PolykerasError
from polykeras.utils.printing import say

__all__ = ["TerminateOnNaN"]


class TerminateOnNaN(Callback):
    """Stop when the loss is NaN or infinite.

    Args:
        raise_error: Whether to raise instead of stopping quietly.
    """

    def __init__(self, raise_error: bool = False) -> None:
        """Remember the setting."""
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look at the loss.

        Raises:
            PolykerasError: If it is not finite and `raise_error` is set.
        """
        loss = (logs or {}).get("loss")
        if loss is None or np.isfinite(loss):
            return
        message = f"Batch {batch}: the loss is {loss}, so training stops."
        if self.raise_error:
            raise PolykerasError(message)
        say(message)
        self.model.stop_training = True
