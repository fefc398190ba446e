"""``.keras`` archives: a zip of a config, the weights, and what a run goes on with.

Members, as Keras 3 writes them: ``metadata.json``, ``config.json``,
``model.weights.h5``, and ``assets/``. polykeras adds ``polykeras.json`` with the
state of the seeds, which Keras passes over. Members are read in memory by these
names; no name in an archive is ever used as a path.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from polykeras.backend import Array
from polykeras.errors import DataError, UnsafeFileError
from polykeras.storage.atomic import atomic_path
from polykeras.storage.hdf5 import open_hdf5, part_names, read_groups, write_groups
from polykeras.storage.json_data import parse_json_object
from polykeras.storage.limits import Limits, current_limits
from polykeras.storage.stores import Store

__all__ = ["FORMAT_VERSION", "Archive", "read_archive", "write_archive"]

# The version of Keras whose files ours agree with.
FORMAT_VERSION: Final = "3.15.1"

_CONFIG: Final = "config.json"
_METADATA: Final = "metadata.json"
_WEIGHTS: Final = "model.weights.h5"
_STATE: Final = "polykeras.json"
_ASSETS: Final = "assets/"
_MEMBERS: Final = (_CONFIG, _METADATA, _WEIGHTS, _STATE)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_CHUNK: Final = 1 << 20
_ENCRYPTED: Final = 1


@dataclass
class Archive:
    """What an archive holds.

    Attributes:
        config: The model as plain data.
        metadata: Who wrote the file, and when.
        state: Seeds, where polykeras wrote the file.
        assets: Contents of further members by path.
        groups: Path of a part to its arrays, to be read while the archive is open.
        names: Path of a part to its name.
        size: Bytes of the weights.
        unknown: Members of other names, which are not read.
    """

    config: dict[str, Any]
    metadata: dict[str, Any]
    state: dict[str, Any]
    assets: dict[str, bytes]
    groups: dict[str, Store]
    names: dict[str, str]
    size: int
    unknown: list[str]


def write_archive(
    path: Path,
    config: Mapping[str, Any],
    groups: Mapping[str, Mapping[str, Array]],
    names: Mapping[str, str],
    *,
    state: Mapping[str, Any],
    assets: Mapping[str, bytes],
    version: str,
) -> None:
    """Write an archive, whole or not at all.

    Args:
        path: The file.
        config: The model as plain data.
        groups: Path of a part to its arrays by key.
        names: Path of a part to its name.
        state: Seeds.
        assets: Contents of further members by path.
        version: The version of polykeras.
    """
    metadata = {
        "keras_version": FORMAT_VERSION,
        "date_saved": datetime.now(UTC).strftime("%Y-%m-%d@%H:%M:%S"),
        "polykeras_version": version,
    }
    texts = {
        _METADATA: json.dumps(metadata),
        _CONFIG: json.dumps(config),
        _STATE: json.dumps(state),
    }
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, "w") as archive,
    ):
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text)
        for name, content in assets.items():
            archive.writestr(zipfile.ZipInfo(_ASSETS + name, _EPOCH), content)
        with tempfile.TemporaryFile(dir=path.parent) as weights:
            write_groups(weights, groups, names)
            size = weights.seek(0, io.SEEK_END)
            weights.seek(0)
            info = zipfile.ZipInfo(_WEIGHTS, _EPOCH)
            info.file_size = size
            with archive.open(info, "w") as member:
                while chunk := weights.read(_CHUNK):
                    member.write(chunk)


@contextmanager
def read_archive(path: Path) -> Iterator[Archive]:
    """Yield what an archive holds; its arrays can be read in the block.

    Raises:
        UnsafeFileError: If it declares more than its bytes support, or arrays that
            stand elsewhere.
        DataError: If it is no such archive or damaged.
    """
    limits = current_limits()
    what = str(path)
    with path.open("rb") as file, _opened(file, what) as archive:
        members = _checked_members(archive, file, limits, what)
        config = parse_json_object(
            _read(archive, _CONFIG, what), f"{_CONFIG} in {what}"
        )
        metadata = parse_json_object(
            _read(archive, _METADATA, what), f"{_METADATA} in {what}"
        )
        state = (
            parse_json_object(_read(archive, _STATE, what), f"{_STATE} in {what}")
            if _STATE in members
            else {}
        )
        assets = {
            name.removeprefix(_ASSETS): _read(archive, name, what)
            for name in members
            if name.startswith(_ASSETS) and not name.endswith("/")
        }
        weights = _weights_file(archive, file, members, what)
        size = members[_WEIGHTS].file_size
        what = f"{_WEIGHTS} in {what}"
        with open_hdf5(weights, what) as tree:
            groups, names = read_groups(tree, what), part_names(tree)
            unknown = [
                name
                for name in members
                if name not in _MEMBERS and not name.startswith(_ASSETS)
            ]
            yield Archive(config, metadata, state, assets, groups, names, size, unknown)


@contextmanager
def _opened(file: BinaryIO, what: str) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DataError(f"{what} is no .keras archive: {error}") from error
    with archive:
        yield archive


def _checked_members(
    archive: zipfile.ZipFile, file: BinaryIO, limits: Limits, what: str
) -> dict[str, zipfile.ZipInfo]:
    """Compare what the directory declares with the bytes of the file."""
    infos = archive.infolist()
    limits.check_count(len(infos), what)
    members: dict[str, zipfile.ZipInfo] = {}
    size = file.seek(0, io.SEEK_END)
    declared = 0
    for info in infos:
        limits.check_name(info.filename, what)
        if info.filename in members:
            raise UnsafeFileError(f"{what} holds {info.filename!r} twice.")
        members[info.filename] = info
        if info.flag_bits & _ENCRYPTED:
            raise DataError(f"{what} is encrypted, which .keras archives are not.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(
                f"{what} packs {info.filename!r} in a way that .keras archives do not."
            )
        stored = info.compress_type == zipfile.ZIP_STORED
        if info.compress_size > size or (stored and info.file_size > size):
            raise UnsafeFileError(
                f"{what} has {size:,} bytes, but its member {info.filename!r} is said "
                f"to have {max(info.compress_size, info.file_size):,}."
            )
        declared += info.file_size
    limits.check_size(declared, size, what)
    missing = [n for n in (_CONFIG, _METADATA, _WEIGHTS) if n not in members]
    if missing:
        raise DataError(f"{what} is no .keras archive: it lacks {missing[0]!r}.")
    return members


def _read(archive: zipfile.ZipFile, name: str, what: str) -> bytes:
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError) as error:
        raise DataError(f"{name!r} in {what} is damaged: {error}") from error


def _weights_file(
    archive: zipfile.ZipFile,
    file: BinaryIO,
    members: Mapping[str, zipfile.ZipInfo],
    what: str,
) -> io.RawIOBase | BinaryIO:
    """Return the weights as a file, after comparing them with their checksum."""
    info = members[_WEIGHTS]
    if info.compress_type != zipfile.ZIP_STORED:
        return io.BytesIO(_read(archive, _WEIGHTS, what))
    try:
        with archive.open(info) as member:
            while member.read(_CHUNK):
                pass
    except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
        raise DataError(f"{_WEIGHTS!r} in {what} is damaged: {error}") from error
    file.seek(info.header_offset + _NAME_LENGTHS)
    lengths = file.read(4)
    start = (
        info.header_offset
        + _LOCAL_HEADER
        + sum(int.from_bytes(lengths[i : i + 2], "little") for i in (0, 2))
    )
    return _Window(file, start, info.file_size)


# A local header has 30 bytes; the lengths of name and extra field stand at its end.
_LOCAL_HEADER: Final = 30
_NAME_LENGTHS: Final = 26


class _Window(io.RawIOBase):
    """A part of a file as a file: large weights need no second copy."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}
        self._position = max(0, base[whence] + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        count = max(0, min(len(view), self._size - self._position))
        self._file.seek(self._start + self._position)
        data = self._file.read(count)
        view[: len(data)] = data
        self._position += len(data)
        return len(data)
