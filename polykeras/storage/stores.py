"""Arrays of one part of a model by key, read when they are needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polykeras.backend import Array

__all__ = ["LazyArray", "Store"]


class LazyArray:
    """An array in a file, whose shape is known before it is read.

    Attributes:
        shape: Sizes of the axes.
        dtype: Canonical name.

    Args:
        shape: Sizes of the axes.
        dtype: Canonical name.
        read: Reads it.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: str, read: Callable[[], Array]
    ) -> None:
        """Remember how to read it."""
        self.shape = shape
        self.dtype = dtype
        self.read = read


class Store(dict[str, Any]):
    """What a part's ``load_own_variables`` reads: arrays by key."""

    def __getitem__(self, key: str) -> Array:
        value = super().__getitem__(key)
        return value.read() if isinstance(value, LazyArray) else value  # type: ignore[no-any-return]

    def described(self, key: str) -> Any:
        """Return what stands under a key, with a shape and a dtype, unread."""
        return super().get(key)
