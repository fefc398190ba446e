"""Dumps: what one engine gave, in a file, to be compared on another machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from polykeras import dtypes
from polykeras.backend import Array
from polykeras.compare._judging import Judged, misshapen
from polykeras.compare._measures import judge, measure
from polykeras.compare._report import Item, Place, Report
from polykeras.errors import ArgumentError
from polykeras.precision import epsilon_of
from polykeras.storage.dump_files import open_dump, write_dump

__all__ = ["Dump", "Entry", "diff"]

_DEFAULT_TERMS: Final = 1024


@dataclass(frozen=True)
class Entry:
    """One array of a dump.

    Args:
        kind: As of `Item`.
        name: The path of the layer or weight.
        cls: The class of the layer.
        mode: ``"inference"`` or ``"training"``.
        dtype: The dtype on the engine.
        array: The values.
        bound: The rounding to expect; None where nothing is known about it.
    """

    kind: str
    name: str
    cls: str
    mode: str
    dtype: str
    array: Array
    bound: float | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What entries of two dumps are paired by."""
        return self.kind, self.mode, self.name


@dataclass
class Dump:
    """What one engine gave for a model.

    Args:
        engine: The name of the engine.
        model: The name of the model.
        environment: Versions, devices, dtypes, seeds, and digests of the data.
        entries: The arrays in the order of the model.
    """

    engine: str
    model: str
    environment: dict[str, Any]
    entries: list[Entry] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write the dump, whole or not at all."""
        said = [
            {
                "kind": e.kind,
                "name": e.name,
                "cls": e.cls,
                "mode": e.mode,
                "dtype": e.dtype,
                "bound": e.bound,
            }
            for e in self.entries
        ]
        arrays = [e.array for e in self.entries]
        pairs = zip(said, arrays, strict=True)
        write_dump(path, self.engine, self.model, self.environment, pairs)

    @classmethod
    def read(cls, path: Path) -> Dump:
        """Read a dump.

        Raises:
            ArgumentError: If there is no such file.
            DataError: If it is damaged or no dump.
        """
        with open_dump(path) as file:
            entries = [
                Entry(
                    kind=said["kind"],
                    name=said["name"],
                    cls=str(said.get("cls", "")),
                    mode=said["mode"],
                    dtype=said["dtype"],
                    array=lazy.read(),
                    bound=said.get("bound"),
                )
                for said, lazy in file.entries
            ]
            return cls(file.engine, file.model, file.environment, entries)


def diff(a: Dump, b: Dump) -> Report:
    """Compare two dumps of one model.

    The bound of an array is the sum of the bounds that both dumps state. Where only
    one states it, it counts twice, and where none does, it is 1,024 units of the last
    place of the largest entry.

    Args:
        a: A dump, to which the other is compared.
        b: Another.

    Raises:
        ArgumentError: If they are of models with other weights or on other data.
    """
    for name, what in (
        ("weights", "have different numbers of weights"),
        ("weights_digest", "started from different weights"),
        ("data_digest", "ran on different data"),
    ):
        mine, other = a.environment.get(name), b.environment.get(name)
        if mine is not None and other is not None and mine != other:
            raise ArgumentError(
                f"The dumps of {a.engine!r} and {b.engine!r} {what} ({mine} and "
                f"{other}), so they cannot be compared. Dump both from one model file "
                "with one --data file and one --seed."
            )
    report = Report(a.model, a.engine, [b.engine])
    report.environment = {"a": a.environment, "b": b.environment}
    others = {entry.key: entry for entry in b.entries}
    for entry in a.entries:
        other = others.get(entry.key)
        report.items.append(_compared(a, b, entry, other))
    return report


def _compared(a: Dump, b: Dump, entry: Entry, other: Entry | None) -> Item:
    coarse = entry.dtype if other is None else _coarser(entry.dtype, other.dtype)
    place = Place(
        kind=entry.kind,
        name=entry.name,
        cls=entry.cls,
        engine=b.engine,
        against=a.engine,
        mode=entry.mode,
        dtype=coarse,
        shape=entry.array.shape,
    )
    if other is None:
        why = f"the dump of {b.engine!r} has no such array"
        return Item.missing(place, why)
    if other.array.shape != entry.array.shape:
        return Item.judged(place, misshapen(other.array, entry.array))
    error = measure(other.array, entry.array, coarse)
    stated = [e.bound for e in (entry, other) if e.bound is not None]
    bound = sum(stated) * (2 / len(stated)) if stated else 0.0
    why = "the sum of the bounds that the dumps state"
    if not stated and dtypes.is_float(coarse):
        bound = _DEFAULT_TERMS * epsilon_of(coarse) * error.ceiling
        why = f"{_DEFAULT_TERMS} ULP of the largest entry: the dumps state no bound"
    return Item.judged(place, Judged(error, bound, judge(error, bound), why))


def _coarser(a: str, b: str) -> str:
    if not (dtypes.is_float(a) and dtypes.is_float(b)):
        return a
    return max(a, b, key=epsilon_of)
