"""`Progbar`: steps done, time, and metrics, in a terminal, notebook or log file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from polykeras.utils.printing import make_console

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Progbar"]

_WIDTH = 20


class Progbar:
    """Shows how far a loop has come.

    In a terminal or notebook the line is redrawn; a log file gets one line when
    the loop is done. Values may be tensors: they are read only when drawn.

    Args:
        target: Number of steps, or None where unknown.
        width: Width of the bar in characters.
        verbose: 0 silent, 1 a bar, 2 one line at the end.
        interval: Least seconds between two drawings.
        stateful_metrics: Kept for Keras' signature: values are shown as they are.
        stateless_metrics: Kept likewise.
        unit_name: What a step is called.

    >>> bar = Progbar(2, verbose=0)
    >>> bar.update(1, [("loss", 0.5)])
    """

    def __init__(
        self,
        target: int | None,
        width: int = _WIDTH,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Any = None,
        stateless_metrics: Any = None,
        unit_name: str = "step",
    ) -> None:
        """Start the clock."""
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self._console: Console | None = None
        self._start = time.perf_counter()
        self._first_done: float | None = None
        self._drawn = 0.0
        self._length = 0
        self._seen = 0
        self._values: dict[str, Any] = {}

    def _output(self) -> Console:
        if self._console is None:
            self._console = make_console()
        return self._console

    def headline(self, text: str) -> None:
        """Print a line above the bar."""
        if self.verbose:
            self._output().print(text, markup=False)

    def update(
        self, current: int, values: Any = None, finalize: bool | None = None
    ) -> None:
        """Show that `current` steps are done.

        Args:
            current: Steps done.
            values: Names and values to show, pairs or a dict.
            finalize: Whether the loop is over; None means when `target` is reached.
        """
        now = time.perf_counter()
        if self._first_done is None and current:
            self._first_done = now
        self._seen = current
        if values:
            self._values = dict(values)
        done = (
            (self.target is not None and current >= self.target)
            if finalize is None
            else finalize
        )
        if not self.verbose:
            return
        live = self.verbose == 1 and (
            self._output().is_terminal or self._output().is_jupyter
        )
        if not done and (not live or now - self._drawn < self.interval):
            return
        self._drawn = now
        line = self._line(now, done)
        console = self._output()
        if not live:
            console.print(line, markup=False)
            return
        # Blanks cover what a longer line before left behind.
        padding = " " * max(0, self._length - len(line))
        self._length = len(line)
        console.file.write(f"\r{line}{padding}" + ("\n" if done else ""))
        console.file.flush()

    def add(self, n: int, values: Any = None) -> None:
        """Show that `n` more steps are done."""
        self.update(self._seen + n, values)

    def _line(self, now: float, done: bool) -> str:
        parts = []
        if self.target is not None:
            digits = len(str(self.target))
            parts.append(f"{self._seen:{digits}d}/{self.target}")
        else:
            parts.append(f"{self._seen}/?")
        if self.verbose == 1 and self.target:
            full = round(self.width * min(self._seen / self.target, 1.0))
            parts.append("━" * full + "╌" * (self.width - full))
        parts.append(self._timing(now, done))
        text = " ".join(parts)
        shown = [f"{name}: {_number(value)}" for name, value in self._values.items()]
        return " - ".join([text, *shown])

    def _timing(self, now: float, done: bool) -> str:
        # The first step compiles and warms up, so it does not count as typical.
        first = self._first_done or now
        if self._seen > 1:
            each = (now - first) / (self._seen - 1)
        else:
            each = now - self._start
        per_step = f"{_duration(each)}/{self.unit_name}"
        if done or not self.target:
            return f"{now - self._start:.0f}s {per_step}"
        return f"{each * (self.target - self._seen):.0f}s left {per_step}"


def _duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms"
    return f"{seconds * 1e6:.0f}us"


def _number(value: Any) -> str:
    try:
        number = float(value)
    except (TypeError, ValueError):
        from polykeras import ops

        return str(ops.convert_to_numpy(value))
    return f"{number:.4f}" if abs(number) >= 1e-3 or number == 0 else f"{number:.4e}"
