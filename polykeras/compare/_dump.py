"""Dumps: what one engine gave, in a file, to be compared on another machine.

A dump is a ZIP archive without compression: ``meta.json`` and one ``.npy`` file an
array, named by its number. It is data only, reading one runs nothing, and no size that
it declares is believed beyond the bytes that are there. Types that NumPy's format lacks
are stored as whole numbers of their width; ``meta.json`` says which they are. Programs
other than polykeras may write dumps too: an entry needs ``kind``, ``name``, ``mode``,
``dtype`` and ``array``, and may lack ``bound``.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from polykeras import dtypes
from polykeras.backend import Array
from polykeras.compare._judging import Judged, misshapen
from polykeras.compare._measures import judge, measure
from polykeras.compare._report import Item, Place, Report
from polykeras.errors import ArgumentError, DataError, DTypeError
from polykeras.precision import epsilon_of
from polykeras.storage.atomic import atomic_path
from polykeras.storage.json_data import parse_json_object
from polykeras.storage.limits import check_shape

__all__ = ["Dump", "Entry", "diff"]

SCHEMA: Final = 1
_META: Final = "meta.json"
_DEFAULT_TERMS: Final = 1024
# The header of an array of numbers in the .npy format, versions 1 and 2.
_NPY: Final = re.compile(
    rb"\x93NUMPY(?:\x01\x00..|\x02\x00....)"
    rb"\{'descr': '([<>|=][biufc]\d{1,2})', 'fortran_order': (True|False), "
    rb"'shape': \(([\d, ]{0,400})\),? ?\} *\n",
    re.DOTALL,
)
_WIDTHS: Final = {1: "u1", 2: "u2", 4: "u4", 8: "u8"}


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
        listed = [
            {
                "kind": e.kind,
                "name": e.name,
                "cls": e.cls,
                "mode": e.mode,
                "dtype": e.dtype,
                "bound": e.bound,
                "array": number,
            }
            for number, e in enumerate(self.entries)
        ]
        meta = {
            "schema": SCHEMA,
            "engine": self.engine,
            "model": self.model,
            "environment": self.environment,
            "entries": listed,
        }
        with atomic_path(path) as target, zipfile.ZipFile(target, "w") as archive:
            archive.writestr(_META, json.dumps(meta, indent=1))
            for number, entry in enumerate(self.entries):
                stream = io.BytesIO()
                np.save(stream, _storable(entry.array), allow_pickle=False)
                archive.writestr(f"{number}.npy", stream.getvalue())

    @classmethod
    def read(cls, path: Path) -> Dump:
        """Read a dump.

        Raises:
            ArgumentError: If there is no such file.
            DataError: If it is damaged or no dump.
        """
        if not path.is_file():
            raise ArgumentError(f"There is no file {path}.")
        try:
            with zipfile.ZipFile(path) as archive:
                return cls._from(archive, path.stat().st_size)
        except DataError as error:
            raise DataError(f"{path} is no readable dump: {error}") from error
        except (
            zipfile.BadZipFile,
            OSError,
            ValueError,
            EOFError,
            RuntimeError,
        ) as error:
            raise DataError(f"{path} is no readable dump: {error}") from error

    @classmethod
    def _from(cls, archive: zipfile.ZipFile, size: int) -> Dump:
        for info in archive.infolist():
            if info.compress_type != zipfile.ZIP_STORED or info.file_size > size:
                raise DataError(
                    f"the entry {info.filename!r} is compressed or too long"
                )
        names = set(archive.namelist())
        if _META not in names:
            raise DataError(f"it has no {_META}")
        meta = parse_json_object(archive.read(_META), _META)
        if meta.get("schema") != SCHEMA:
            raise DataError(f"expected schema {SCHEMA} in {_META}")
        entries = []
        for listed in _sequence(meta, "entries"):
            file = f"{_get(listed, 'array', int)}.npy"
            if file not in names:
                raise DataError(f"the array {file} is missing")
            bound = listed.get("bound")
            if bound is not None and not isinstance(bound, int | float):
                raise DataError(f"the bound {bound!r} is no number")
            entries.append(
                Entry(
                    kind=_get(listed, "kind", str),
                    name=_get(listed, "name", str),
                    cls=str(listed.get("cls", "")),
                    mode=_get(listed, "mode", str),
                    dtype=_get(listed, "dtype", str),
                    array=_restored(archive.read(file), _get(listed, "dtype", str)),
                    bound=bound,
                )
            )
        return cls(
            _get(meta, "engine", str),
            _get(meta, "model", str),
            _get(meta, "environment", dict),
            entries,
        )


def _sequence(data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = _get(data, name, list)
    if not all(isinstance(item, dict) for item in found):
        raise DataError(f"{name!r} holds something else than objects")
    return found  # type: ignore[no-any-return]


def _get(data: Mapping[str, Any], name: str, kind: type) -> Any:
    found = data.get(name)
    if not isinstance(found, kind):
        raise DataError(f"{name!r} is {found!r}, expected {kind.__name__}")
    return found


def _storable(x: Array) -> Array:
    plain = x.dtype.kind in "biufc" and x.dtype.name in np.sctypeDict
    return np.ascontiguousarray(x) if plain else x.view(_WIDTHS[x.dtype.itemsize])


def _restored(data: bytes, dtype: str) -> Array:
    found = _NPY.match(data)
    if found is None:
        raise DataError("an array is not in the form that numpy.save writes")
    descr, fortran, sizes = (part.decode() for part in found.groups())
    shape = tuple(int(n) for n in sizes.replace(",", " ").split())
    try:
        stored = np.dtype(descr)
    except TypeError as error:
        raise DataError(f"an array has the unknown type {descr!r}") from error
    check_shape(shape, "an array")
    body = data[found.end() :]
    if math.prod(shape) * stored.itemsize != len(body):
        raise DataError("an array does not have the bytes that its header declares")
    order: Literal["F", "C"] = "F" if fortran == "True" else "C"
    x: Array = np.frombuffer(body, stored).reshape(shape, order=order)
    try:
        native = np.dtype(dtypes.as_numpy_dtype(dtypes.standardize_dtype(dtype)))
    except (DTypeError, TypeError) as error:
        raise DataError(f"the dtype {dtype!r} is not known") from error
    if x.dtype.kind == "u" and native.kind not in "biufc":
        if x.dtype.itemsize != native.itemsize:
            raise DataError(f"an array of {x.dtype} cannot hold {dtype}")
        return x.view(native)
    return x


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
    place: Place = {
        "kind": entry.kind,
        "name": entry.name,
        "cls": entry.cls,
        "engine": b.engine,
        "against": a.engine,
        "mode": entry.mode,
        "dtype": coarse,
        "shape": entry.array.shape,
    }
    if other is None:
        why = f"the dump of {b.engine!r} has no such array"
        return Item.missing(why, **place)
    if other.array.shape != entry.array.shape:
        return Item.judged(misshapen(other.array, entry.array), **place)
    wide = "complex128" if entry.array.dtype.kind == "c" else "float64"
    error = measure(other.array, entry.array.astype(wide), coarse)
    stated = [e.bound for e in (entry, other) if e.bound is not None]
    bound = sum(stated) * (2 / len(stated)) if stated else 0.0
    why = "the sum of the bounds that the dumps state"
    if not stated and dtypes.is_float(coarse):
        bound = _DEFAULT_TERMS * epsilon_of(coarse) * error.ceiling
        why = f"{_DEFAULT_TERMS} ULP of the largest entry: the dumps state no bound"
    return Item.judged(Judged(error, bound, judge(error, bound), why), **place)


def _coarser(a: str, b: str) -> str:
    if not (dtypes.is_float(a) and dtypes.is_float(b)):
        return a
    return max(a, b, key=epsilon_of)
