"""What a run of the suite was asked to test."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from polykeras.backend import Backend, get_backend, installed_backends
from polykeras.errors import ArgumentError, BackendError, nearest

__all__ = [
    "SECTIONS_FOLDER",
    "Settings",
    "find_backend",
    "section_names",
    "usable_backends",
]

SECTIONS_FOLDER: Final = Path(__file__).parent / "sections"


@dataclass(frozen=True)
class Settings:
    """The choices of a run.

    Args:
        backends: What is tested.
        sections: Names of the sections to run; empty for all.
        ops: Names of the ops to which sections about ops keep; empty for all.
        seed: Of the values of samples.
        exhaustive: Whether every combination is run instead of a choice of them.
    """

    backends: tuple[Backend, ...]
    sections: tuple[str, ...] = ()
    ops: tuple[str, ...] = ()
    seed: int = 0
    exhaustive: bool = False

    def __post_init__(self) -> None:
        """Refuse sections that do not exist."""
        known = section_names()
        for name in self.sections:
            if name not in known:
                raise ArgumentError(
                    f"The suite has no section {name!r}. {nearest(name, known)}"
                )


def section_names() -> list[str]:
    """Return the names of the sections: those of their files.

    >>> "values" in section_names()
    True
    """
    return sorted(p.stem.removeprefix("test_") for p in SECTIONS_FOLDER.glob("test_*"))


def find_backend(name: str) -> Backend:
    """Return an installed backend by name, or any by ``"module:attribute"``.

    Args:
        name: What `polykeras.use_backend` takes, or where a `Backend` object, or a
            class or function that makes one, is found.

    Raises:
        BackendError: If there is none.
    """
    module, colon, attribute = name.partition(":")
    if not colon:
        return get_backend(name)
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise BackendError(
            f"Expected module:attribute to name a Backend, got {name!r}: {error}."
        ) from error
    if not isinstance(found, Backend) and callable(found):
        found = found()
    if not isinstance(found, Backend):
        raise BackendError(
            f"Expected {name!r} to be a polykeras Backend or to make one, got "
            f"{type(found).__name__}."
        )
    return get_backend(found)


def usable_backends() -> tuple[Backend, ...]:
    """Return every installed backend whose library is there."""
    found = []
    for name in installed_backends():
        try:
            found.append(get_backend(name))
        except BackendError:
            continue
    return tuple(found)
