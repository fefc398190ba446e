"""Keep recorded arrays in memory up to a limit, and in temporary files beyond."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from polykeras.backend import Array
from polykeras.errors import ArgumentError

__all__ = ["Store", "bytes_of"]

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


def bytes_of(text: str) -> int:
    """Return a number of bytes written as ``"500M"``.

    Raises:
        ArgumentError: If it is written otherwise.

    >>> bytes_of("2K")
    2048
    """
    number, unit = text.strip().upper().removesuffix("B"), ""
    if number and number[-1] in _UNITS:
        number, unit = number[:-1], number[-1]
    if not number.isdigit():
        raise ArgumentError(
            f"Expected a number of bytes such as 500M or 2G, got {text!r}."
        )
    return int(number) * _UNITS[unit]


class Store:
    """Arrays that are read again later, in the order in which they came.

    Args:
        limit: The number of bytes to hold in memory; None means all.
    """

    def __init__(self, limit: int | None = None) -> None:
        """Start empty."""
        self.limit = limit
        self.held = 0
        self.spilled = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def keep(self, x: Array) -> Array:
        """Return the array, or one with the same values that lies in a file."""
        if self.limit is None or self.held + x.nbytes <= self.limit or not x.nbytes:
            self.held += x.nbytes
            return x
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="polykeras-compare-")
        path = Path(self._folder.name) / f"{self.spilled}.bin"
        self.spilled += 1
        path.write_bytes(np.ascontiguousarray(x).tobytes())
        # A map takes no memory that the system cannot take back.
        return np.memmap(path, x.dtype, "r", shape=x.shape)

    def close(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
