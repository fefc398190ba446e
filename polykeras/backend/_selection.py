"""Which backend is active: the block's, the process's, or the configured one."""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import contextmanager
from contextvars import ContextVar, Token
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from polykeras.backend._base import Backend
from polykeras.backend._discovery import registry
from polykeras.errors import ArgumentError, BackendError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = [
    "REFERENCE",
    "active",
    "backend",
    "configured",
    "current_backend",
    "engine_scope",
    "get_backend",
    "installed_backends",
    "is_abstract_engine",
    "set_backend",
    "use_backend",
]

REFERENCE: Final = "numpy"
"""The backend that is always there, defines results, and draws initial weights."""

_block: ContextVar[Backend | None] = ContextVar("polykeras_backend", default=None)
# The process default, in a list so that the fast path of ops reads it by reference.
_process: list[Backend | None] = [None]
# What has been chosen for the process, latest last. A choice leaves the list when it
# turns out to be for a block, so blocks that threads enter in any order cannot
# restore each other's choice.
_choices: list[tuple[Backend, weakref.ref[use_backend] | None]] = []
_lock = threading.RLock()


def configured() -> dict[str, Any]:
    """Return the settings of the user's config file, empty if there is none.

    The file is ``$POLYKERAS_CONFIG`` or ``config.toml`` in the user's
    configuration folder; it is read, never written.
    """
    import tomllib  # only needed where no choice was made in code

    import platformdirs

    named = os.environ.get("POLYKERAS_CONFIG")
    path = Path(named or platformdirs.user_config_path("polykeras") / "config.toml")
    if not path.is_file():
        if named:
            raise BackendError(f"POLYKERAS_CONFIG names {named!r}, which is no file.")
        return {}
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BackendError(f"The config file {path} is not TOML: {error}") from error
    allowed = ("backend", "epsilon", "floatx", "image_data_format")
    for key in settings:
        if key not in allowed:
            raise ArgumentError(
                f"Unknown setting {key!r} in {path}. {nearest(key, allowed)}"
            )
    return settings


def _choose() -> Backend:
    """Load what the environment or the config file names, else the reference."""
    with _lock:
        if _process[0] is not None:
            return _process[0]
        name = os.environ.get("POLYKERAS_BACKEND")
        source = "the environment variable POLYKERAS_BACKEND"
        if not name:
            name = str(configured().get("backend") or REFERENCE)
            source = "the config file" if name != REFERENCE else ""
        try:
            chosen = registry().load(name)
        except BackendError as error:
            if not source:
                raise
            raise type(error)(f"{error} The choice comes from {source}.") from error
        _choices.insert(0, (chosen, None))
        _process[0] = chosen
        return chosen


def active() -> Backend:
    """Return what ops run on now: a backend, or the symbolic evaluator."""
    return _block.get() or _process[0] or _choose()


def current_backend() -> Backend:
    """Return the backend that holds values now, also during symbolic evaluation.

    >>> current_backend().name in installed_backends()
    True
    """
    return active().host


def backend() -> str:
    """Return the name of the current backend."""
    return current_backend().name


def get_backend(name: str | Backend) -> Backend:
    """Return the backend of that name, loading it if need be.

    Args:
        name: A name as listed by `installed_backends`, or a `Backend`.

    Raises:
        BackendNotFound: If no plugin supplies it.
        BackendUnavailable: If its array library is missing.
        IncompatibleBackend: If versions do not fit.
        ArgumentError: If `name` is neither.
    """
    if isinstance(name, str):
        return registry().load(name)
    if not isinstance(name, Backend):
        raise ArgumentError(
            f"A backend is chosen by its name or a Backend object, got {name!r} of "
            f"type {type(name).__name__}."
        )
    if "kernels" not in vars(name):
        registry().bind_kernels(name)
    return name


def installed_backends() -> list[str]:
    """Return the names of all backends that plugins offer."""
    return registry().names()


def is_abstract_engine() -> bool:
    """Return whether ops compute shapes and dtypes only at this point."""
    engine = active()
    return engine.host is not engine


@contextmanager
def engine_scope(engine: Backend) -> Iterator[Backend]:
    """Run the block's ops on `engine`; safe under threads and async tasks."""
    token = _block.set(engine)
    try:
        yield engine
    finally:
        _block.reset(token)


class use_backend:  # noqa: N801 reads as a function
    """Choose the backend: for the process as a call, for a block as a context.

    A block's choice holds for its thread or async task alone. Python makes the
    object before it enters the block, so for that instant the choice is the process
    default, which threads without a choice of their own can see. Where such threads
    run, write ``with engine_scope(get_backend(name))``, which touches nothing but
    the block.

    Args:
        name: The backend's name or the `Backend` itself.

    Raises:
        BackendNotFound: If no plugin supplies it; nothing changes then.

    >>> with use_backend("numpy"):
    ...     backend()
    'numpy'
    """

    def __init__(self, name: str | Backend) -> None:
        """Make `name` the process default until a block is entered, if one is."""
        self._chosen = get_backend(name)
        self._tokens: list[Token[Backend | None]] = []
        with _lock:
            # A choice whose object is gone stands for good, and hides those before.
            for i in reversed(range(len(_choices))):
                owner = _choices[i][1]
                if owner is None or owner() is None:
                    del _choices[:i]
                    break
            _choices.append((self._chosen, weakref.ref(self)))
            _process[0] = self._chosen

    def __enter__(self) -> Backend:
        """Turn the process-wide choice into one for this block only."""
        with _lock:
            _choices[:] = [c for c in _choices if c[1] is None or c[1]() is not self]
            _process[0] = _choices[-1][0] if _choices else None
        self._tokens.append(_block.set(self._chosen))
        return self._chosen

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Restore the choice in force before the block."""
        _block.reset(self._tokens.pop())


def set_backend(backend: str) -> None:
    """Make a backend the process default, as ``use_backend(backend)`` does."""
    use_backend(backend)
