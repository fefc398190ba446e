"""`CallbackList`: all callbacks of a run as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from polykeras.callbacks.callback import Callback
from polykeras.callbacks.history import History
from polykeras.callbacks.logs import read_logs
from polykeras.callbacks.progbar_logger import ProgbarLogger
from polykeras.errors import ArgumentError

__all__ = ["CallbackList"]

_BATCH_HOOKS = {
    "train": (
        "on_train_batch_begin",
        "on_train_batch_end",
        "on_batch_begin",
        "on_batch_end",
    ),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


class CallbackList(Callback):
    """Passes every hook on to a list of callbacks.

    Logs of batches are read from the device only for callbacks that have batch
    hooks; the progress bar reads them when it draws.

    Args:
        callbacks: Callbacks, or a `CallbackList`.
        add_history: Whether to add a `History` if there is none.
        add_progbar: Whether to add a `ProgbarLogger` if there is none.
        model: Given to every callback.
        params: Given to every callback.

    Attributes:
        callbacks: The callbacks.
        history: The `History` among them, if any.
        hook: Name of the hook of training that is being passed on, or ``""``.
        waiting: The callbacks that it has not reached yet.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        """Collect the callbacks."""
        super().__init__()
        if isinstance(callbacks, CallbackList):
            callbacks = callbacks.callbacks
        given = [] if callbacks is None else callbacks
        given = list(given) if isinstance(given, list | tuple) else [given]
        for c in given:
            if not isinstance(c, Callback):
                raise ArgumentError(
                    f"callbacks holds a {type(c).__name__}, which is no Callback. Pass "
                    "instances of Callback subclasses."
                )
        self.callbacks: list[Callback] = given
        self.hook = ""
        self.waiting: list[Callback] = []
        self.history = next((c for c in given if isinstance(c, History)), None)
        if add_history and self.history is None:
            self.history = History()
            self.callbacks.append(self.history)
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in given):
            self.callbacks.append(ProgbarLogger())
        self._by_batch = {
            kind: sorted(
                (c for c in self.callbacks if _overrides(c, hooks)),
                key=lambda c: c._place,
            )
            for kind, hooks in _BATCH_HOOKS.items()
        }
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def append(self, callback: Callback) -> None:
        """Add a callback."""
        self.callbacks.append(callback)
        for kind, hooks in _BATCH_HOOKS.items():
            if _overrides(callback, hooks):
                self._by_batch[kind].append(callback)

    def set_params(self, params: dict[str, Any]) -> None:
        """Give the parameters of the run to every callback."""
        self.params = params
        for c in self.callbacks:
            c.set_params(params)

    def set_model(self, model: Any) -> None:
        """Give the model to every callback."""
        super().set_model(model)
        for c in self.callbacks:
            c.set_model(model)

    def acts_on_batches(self, kind: str) -> bool:
        """Return whether a callback must be called after each batch.

        A progress bar need not.

        Args:
            kind: ``"train"``, ``"test"`` or ``"predict"``.
        """
        return any(c._acts_on_batches for c in self._by_batch[kind])

    def _each(self, hook: str, callbacks: Iterable[Callback]) -> Iterator[Callback]:
        """Yield callbacks, and keep how far the hook has come.

        A checkpoint that one of them makes tells with it what is left to be done.
        """
        self.hook, self.waiting = hook, list(callbacks)
        while self.waiting:
            yield self.waiting.pop(0)
        self.hook = ""

    def _batch(self, kind: str, hook: str, batch: int, logs: Any) -> None:
        listeners = self._by_batch[kind]
        if not listeners:
            return
        floats: Any = None
        for c in self._each(hook, listeners):
            if isinstance(c, ProgbarLogger):
                getattr(c, hook)(batch, logs)
            else:
                if floats is None:
                    floats = read_logs(logs or {})
                getattr(c, hook)(batch, floats)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Pass the hook on."""
        self._batch("train", "on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Pass the hook on."""
        self._batch("train", "on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Pass the hook on."""
        self._batch("test", "on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Pass the hook on."""
        self._batch("test", "on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Pass the hook on."""
        self._batch("predict", "on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Pass the hook on."""
        self._batch("predict", "on_predict_batch_end", batch, logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Pass the hook on."""
        for c in self._each("on_epoch_begin", self.callbacks):
            c.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Pass the hook on; a callback may add to the logs for those after it."""
        logs = {} if logs is None else logs
        ordered = sorted(self.callbacks, key=lambda c: c._place)
        for c in self._each("on_epoch_end", ordered):
            c.on_epoch_end(epoch, logs)

    def on_train_begin(self, logs: Any = None) -> None:
        """Pass the hook on."""
        for c in self.callbacks:
            c.on_train_begin(logs)

    def on_train_end(self, logs: Any = None) -> None:
        """Pass the hook on."""
        for c in self.callbacks:
            c.on_train_end(logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Pass the hook on."""
        for c in self.callbacks:
            c.on_test_begin(logs)

    def on_test_end(self, logs: Any = None) -> None:
        """Pass the hook on."""
        floats = read_logs(logs or {})
        for c in self.callbacks:
            c.on_test_end(floats)

    def on_predict_begin(self, logs: Any = None) -> None:
        """Pass the hook on."""
        for c in self.callbacks:
            c.on_predict_begin(logs)

    def on_predict_end(self, logs: Any = None) -> None:
        """Pass the hook on."""
        for c in self.callbacks:
            c.on_predict_end(logs)


def _overrides(callback: Callback, hooks: tuple[str, ...]) -> bool:
    cls = type(callback)
    return any(
        getattr(cls, hook) is not getattr(Callback, hook) or hook in vars(callback)
        for hook in hooks
    )
