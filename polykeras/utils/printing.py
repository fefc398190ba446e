"""Where progress and messages go: standard output, or a logger."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

from polykeras import config

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["make_console", "say"]


class _LogStream(io.StringIO):
    """A text file whose lines go to the logger ``"polykeras"``."""

    def write(self, text: str) -> int:
        """Log the lines of a text."""
        for line in text.splitlines():
            if line.strip():
                logging.getLogger("polykeras").info(line)
        return len(text)


def make_console(width: int | None = None) -> Console:
    """Return a console that prints, or logs where interactive logging is disabled.

    Args:
        width: Characters in a line; None means those of the terminal.
    """
    from rich.console import Console

    file = None if config.is_interactive_logging_enabled() else _LogStream()
    return Console(
        file=file, width=width, highlight=False, soft_wrap=width is None, emoji=False
    )


def say(message: str) -> None:
    """Show a message of one line.

    >>> say("Restoring the best weights.")
    Restoring the best weights.
    """
    if config.is_interactive_logging_enabled():
        print(message)
    else:
        logging.getLogger("polykeras").info(message)
