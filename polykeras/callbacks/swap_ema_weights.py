"""`SwapEMAWeights`: evaluate with the averages of the weights."""

from __future__ import annotations

from typing import Any

from polykeras.callbacks.callback import Callback
from polykeras.errors import ArgumentError

__all__ = ["SwapEMAWeights"]


class SwapEMAWeights(Callback):
    """Swap the weights and their moving averages for evaluation.

    The optimizer keeps the averages: make it with ``use_ema=True``.

    Args:
        swap_on_epoch: Whether the averages stay in place from the end of an epoch to
            the beginning of the next, so that callbacks after this one (such as
            `ModelCheckpoint`) see them. Put it before those.

    >>> import numpy as np
    >>> import polykeras as keras
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(use_ema=True), "mse")
    >>> x = np.ones((4, 1))
    >>> history = model.fit(x, x, verbose=0, callbacks=[SwapEMAWeights()])
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        """Remember when to swap."""
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._weights: list[tuple[Any, Any]] = []

    def on_train_begin(self, logs: Any = None) -> None:
        """Check that there are averages.

        Raises:
            ArgumentError: If the optimizer keeps none.
        """
        optimizer = self._optimizer()
        if not getattr(optimizer, "use_ema", False):
            raise ArgumentError(
                f"SwapEMAWeights needs an optimizer that keeps averages, but "
                f"{optimizer!r} does not. Make it with use_ema=True."
            )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Put the weights back."""
        self._put_back()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Put the averages in place, if they are to stay."""
        if self.swap_on_epoch:
            self._put_in()

    def on_test_begin(self, logs: Any = None) -> None:
        """Put the averages in place."""
        self._put_in()

    def on_test_end(self, logs: Any = None) -> None:
        """Put the weights back, unless the averages are to stay."""
        self._put_back()

    def on_predict_begin(self, logs: Any = None) -> None:
        """Put the averages in place."""
        self._put_in()

    def on_predict_end(self, logs: Any = None) -> None:
        """Put the weights back."""
        self._put_back()

    def on_train_end(self, logs: Any = None) -> None:
        """Forget the weights: training ends with the averages in their place."""
        self._weights = []

    def _optimizer(self) -> Any:
        optimizer = self.model.optimizer
        return getattr(optimizer, "inner_optimizer", optimizer)

    def _put_in(self) -> None:
        optimizer = self._optimizer()
        if self._weights or not getattr(optimizer, "use_ema", False):
            return
        for variable, average in optimizer.averages():
            self._weights.append((variable, variable.numpy()))
            variable.assign(average.numpy())

    def _put_back(self) -> None:
        for variable, value in self._weights:
            variable.assign(value)
        self._weights = []
