"""How much a file may ask for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from typing import Final

from polykeras.errors import ArgumentError, UnsafeFileError, nearest

__all__ = ["Limits", "check_shape", "current_limits", "loading_limits"]

# More entries than any memory holds; NumPy counts past an axis of size 0.
_MOST_ENTRIES: Final = 1 << 48


@dataclass(frozen=True)
class Limits:
    """What a file may ask for when it is loaded.

    Sizes that a file declares are believed only as far as its real bytes support
    them, so a small file cannot make a large allocation.

    Attributes:
        max_bytes: Largest total size of the arrays in a file, in bytes.
        max_expansion: How many times larger than the file its arrays may be, beyond
            `free_bytes`: compressed files are smaller than what they hold.
        free_bytes: Bytes that any file may ask for.
        max_members: Members of an archive, or arrays of a weights file.
        max_json_bytes: Length of a JSON text.
        max_json_depth: Nesting of a JSON text. A model inside another takes 4 levels.
        max_json_nodes: Values in a JSON text.
        max_name_length: Characters in the name of a member, array or layer.
    """

    max_bytes: int = 256 << 30
    max_expansion: int = 64
    free_bytes: int = 16 << 20
    max_members: int = 100_000
    max_json_bytes: int = 64 << 20
    max_json_depth: int = 128
    max_json_nodes: int = 4_000_000
    max_name_length: int = 512

    def allowance(self, real_bytes: int) -> int:
        """Return how many bytes a file of that size may ask for."""
        return min(self.max_bytes, self.free_bytes + self.max_expansion * real_bytes)

    def check_size(self, declared: int, real_bytes: int, what: str) -> None:
        """Compare what a file declares with the bytes that it has.

        Raises:
            UnsafeFileError: If it declares more than its bytes support.
        """
        allowed = self.allowance(real_bytes)
        if declared > allowed:
            raise UnsafeFileError(
                f"{what} declares {declared:,} bytes of data but has {real_bytes:,}, "
                f"for which {allowed:,} are allowed. If you trust the file, raise "
                "max_expansion or max_bytes with polykeras.saving.loading_limits."
            )

    def check_count(self, count: int, what: str) -> None:
        """Refuse a file with too many parts.

        Raises:
            UnsafeFileError: If there are more than `max_members`.
        """
        if count > self.max_members:
            raise UnsafeFileError(
                f"{what} has more than {self.max_members:,} parts. If you trust it, "
                "raise max_members with polykeras.saving.loading_limits."
            )

    def check_name(self, name: str, what: str) -> None:
        """Refuse a name that is too long.

        Raises:
            UnsafeFileError: If it is longer than `max_name_length`.
        """
        if len(name) > self.max_name_length:
            raise UnsafeFileError(
                f"{what} holds a name of {len(name):,} characters, "
                f"{name[:40]!r}...; at most {self.max_name_length} are allowed. If you "
                "trust it, raise max_name_length with "
                "polykeras.saving.loading_limits."
            )


_limits: ContextVar[Limits | None] = ContextVar("polykeras_limits", default=None)


def check_shape(shape: Iterable[int], what: str) -> None:
    """Refuse a shape that no array can have, though one of its sizes may be 0.

    Raises:
        UnsafeFileError: If its sizes are too large.
    """
    sizes = list(shape)
    if math.prod(n for n in sizes if n) > _MOST_ENTRIES:
        raise UnsafeFileError(f"{what} declares the shape {tuple(sizes)}.")


def current_limits() -> Limits:
    """Return the limits that hold here."""
    return _limits.get() or Limits()


@contextmanager
def loading_limits(**changes: int) -> Iterator[Limits]:
    """Load files in the block with other limits.

    Args:
        changes: Attributes of `Limits` by name.

    Raises:
        ArgumentError: If a name is unknown or a value is no positive integer.

    >>> import polykeras as keras
    >>> with keras.saving.loading_limits(max_bytes=1 << 20) as limits:
    ...     limits.max_bytes
    1048576
    """
    names = [f.name for f in fields(Limits)]
    for name, value in changes.items():
        if name not in names:
            raise ArgumentError(f"Unknown limit {name!r}. {nearest(name, names)}")
        if not isinstance(value, int) or value < 1:
            raise ArgumentError(
                f"The limit {name} must be a positive integer, got {value!r}."
            )
    token = _limits.set(replace(current_limits(), **changes))
    try:
        yield current_limits()
    finally:
        _limits.reset(token)
