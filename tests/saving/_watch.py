"""Watch what the interpreter does to the world outside while a file is loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Events of `sys.addaudithook` by which code could act; importing is among them.
_ACTIONS = (
    "import",
    "exec",
    "marshal.loads",
    "pickle.find_class",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.symlink",
    "subprocess.Popen",
    "socket.",
    "urllib.Request",
    "ctypes.dlopen",
    "shutil.",
)
_events: list[tuple[str, Any]] | None = None


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _events is None:
        return
    if event == "open" and isinstance(args[0], str | bytes):
        _events.append((event, Path(str(args[0]))))
    elif event.startswith(_ACTIONS):
        _events.append((event, args))


sys.addaudithook(_hook)


@contextmanager
def nothing_but(*readable: Path) -> Iterator[None]:
    """Assert that the block opens no file but these, and does nothing else."""
    global _events  # noqa: PLW0603
    _events = []
    try:
        yield
    finally:
        seen, _events = _events, None
    # What the test tool itself reads to format a traceback is not the loader's.
    rest = [
        (event, what)
        for event, what in seen
        if not (event == "open" and (what in readable or what.suffix == ".py"))
    ]
    assert not rest, rest
