"""Dumps of `polykeras compare`: arrays with what they are, in one file.

A dump is a ZIP archive without compression: ``meta.json`` and one ``.npy`` file an
array, named by its number. It is data only, reading one runs nothing, and no size that
it declares is believed beyond the bytes that are there. Types that NumPy's format lacks
are stored as whole numbers of their width; ``meta.json`` says which they are. Programs
other than polykeras may write dumps too: an entry needs ``kind``, ``name``, ``mode``,
``dtype`` and ``array``, and may lack ``bound``.
"""

from __future__ import annotations

import functools
import io
import json
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from polykeras import dtypes
from polykeras.backend import Array
from polykeras.errors import ArgumentError, DataError, DTypeError
from polykeras.storage.atomic import atomic_path
from polykeras.storage.json_data import parse_json_object
from polykeras.storage.limits import check_shape
from polykeras.storage.stores import LazyArray

__all__ = ["DumpFile", "is_dump", "open_dump", "write_dump"]

_SCHEMA: Final = 1
_META: Final = "meta.json"
# The header of an array of numbers in the .npy format, versions 1 and 2.
_NPY: Final = re.compile(
    rb"\x93NUMPY(?:\x01\x00..|\x02\x00....)"
    rb"\{'descr': '([<>|=][biufc]\d{1,2})', 'fortran_order': (True|False), "
    rb"'shape': \(([\d, ]{0,400})\),? ?\} *\n",
    re.DOTALL,
)
# No header of that form is longer.
_HEADER: Final = 1024
_WIDTHS: Final = {1: "u1", 2: "u2", 4: "u4", 8: "u8"}
# What an entry must say of its array.
_TEXTS: Final = ("kind", "name", "mode", "dtype")


@dataclass
class DumpFile:
    """What a dump says, and its arrays.

    Args:
        engine: The name of the engine.
        model: The name of the model.
        environment: Versions, devices, dtypes, seeds, and digests of the data.
        entries: What is said of each array, and the array.
    """

    engine: str
    model: str
    environment: dict[str, Any]
    entries: list[tuple[dict[str, Any], LazyArray]]


def write_dump(
    path: Path,
    engine: str,
    model: str,
    environment: Mapping[str, Any],
    entries: Iterable[tuple[Mapping[str, Any], Array]],
) -> None:
    """Write a dump, whole or not at all.

    Args:
        path: The file.
        engine: The name of the engine.
        model: The name of the model.
        environment: Plain data.
        entries: What is to be said of each array, and the array.
    """
    pairs = list(entries)
    meta = {
        "schema": _SCHEMA,
        "engine": engine,
        "model": model,
        "environment": environment,
        "entries": [{**said, "array": n} for n, (said, _) in enumerate(pairs)],
    }
    with atomic_path(path) as target, zipfile.ZipFile(target, "w") as archive:
        archive.writestr(_META, json.dumps(meta, indent=1))
        for number, (_, array) in enumerate(pairs):
            stream = io.BytesIO()
            np.save(stream, _storable(array), allow_pickle=False)
            archive.writestr(f"{number}.npy", stream.getvalue())


def is_dump(path: Path) -> bool:
    """Return whether a file, whatever its name, looks like a dump."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _META in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, RuntimeError):
        return False


@contextmanager
def open_dump(path: Path) -> Iterator[DumpFile]:
    """Yield what a dump says and its arrays, to be read in the block.

    Raises:
        ArgumentError: If there is no such file.
        DataError: If it is damaged or no dump.
    """
    if not path.is_file():
        raise ArgumentError(f"There is no file {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            yield _contents(archive, path.stat().st_size)
    except (
        DataError,
        zipfile.BadZipFile,
        OSError,
        ValueError,
        EOFError,
        RuntimeError,
    ) as error:
        raise DataError(f"{path} is no readable dump: {error}") from error


def _contents(archive: zipfile.ZipFile, size: int) -> DumpFile:
    for info in archive.infolist():
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > size:
            raise DataError(f"the entry {info.filename!r} is compressed or too long")
    names = set(archive.namelist())
    if _META not in names:
        raise DataError(f"it has no {_META}")
    meta = parse_json_object(archive.read(_META), _META)
    if meta.get("schema") != _SCHEMA:
        raise DataError(f"expected schema {_SCHEMA} in {_META}")
    entries = []
    for said in _sequence(meta, "entries"):
        file = f"{_get(said, 'array', int)}.npy"
        if file not in names:
            raise DataError(f"the array {file} is missing")
        for name in _TEXTS:
            _get(said, name, str)
        bound = said.get("bound")
        if bound is not None and not isinstance(bound, int | float):
            raise DataError(f"the bound {bound!r} is no number")
        entries.append((said, _lazy(archive, file, said["dtype"])))
    return DumpFile(
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


def _lazy(archive: zipfile.ZipFile, file: str, dtype: str) -> LazyArray:
    """Return an array of which the header has been read."""
    with archive.open(file) as stream:
        found = _NPY.match(stream.read(_HEADER))
    if found is None:
        raise DataError("an array is not in the form that numpy.save writes")
    descr, fortran, sizes = (part.decode() for part in found.groups())
    shape = tuple(int(n) for n in sizes.replace(",", " ").split())
    try:
        stored = np.dtype(descr)
    except TypeError as error:
        raise DataError(f"an array has the unknown type {descr!r}") from error
    check_shape(shape, "an array")
    length = archive.getinfo(file).file_size - found.end()
    if math.prod(shape) * stored.itemsize != length:
        raise DataError("an array does not have the bytes that its header declares")
    try:
        native = np.dtype(dtypes.as_numpy_dtype(dtypes.standardize_dtype(dtype)))
    except (DTypeError, TypeError) as error:
        raise DataError(f"the dtype {dtype!r} is not known") from error
    as_native = stored.kind == "u" and native.kind not in "biufc"
    if as_native and stored.itemsize != native.itemsize:
        raise DataError(f"an array of {stored} cannot hold {dtype}")

    def read(start: int, order: Literal["F", "C"]) -> Array:
        body = archive.read(file)[start:]
        x: Array = np.frombuffer(body, stored).reshape(shape, order=order)
        return x.view(native) if as_native else x

    order: Literal["F", "C"] = "F" if fortran == "True" else "C"
    return LazyArray(shape, native.name, functools.partial(read, found.end(), order))
