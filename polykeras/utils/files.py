"""Downloads into the user's cache, checked against a digest."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, Protocol, cast
from urllib.parse import urlsplit

from polykeras.errors import ArgumentError, DataError, nearest

__all__ = ["cache_root", "download", "get_file"]

_SCHEMES: Final = ("http", "https")
_DIGEST_LENGTHS: Final = {32: "md5", 64: "sha256"}
_TIMEOUT_SECONDS: Final = 30


def cache_root() -> Path:
    """Return the folder below which polykeras keeps what it downloads.

    Returns:
        The platform's cache folder for this user, such as ``~/.cache/polykeras``.
    """
    import platformdirs

    return platformdirs.user_cache_path("polykeras", appauthor=False)


class _Progress(Protocol):
    """What pooch asks of a progress bar."""

    total: int

    def update(self, count: int) -> None: ...
    def reset(self) -> None: ...
    def close(self) -> None: ...


class _RichProgress:
    """A progress line on stderr that first appears when bytes arrive."""

    def __init__(self, label: str) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self.total = 0
        self._label = label
        self._task: Any = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )

    def update(self, count: int) -> None:
        if self._task is None:
            self._progress.start()
            self._task = self._progress.add_task(self._label, total=self.total or None)
        self._progress.advance(self._task, count)

    def reset(self) -> None:
        if self._task is not None:
            self._progress.reset(self._task, total=self.total or None)

    def close(self) -> None:
        self._progress.stop()


def download(
    url: str, target: Path, digest: str | None = None, *, force: bool = False
) -> Path:
    """Download a file unless it is there already, and check it.

    Args:
        url: An http or https address.
        target: Where the file shall lie. It appears there only when it is complete
            and has the digest.
        digest: ``"sha256:..."`` or ``"md5:..."``, or None to accept anything. An
            existing file with another digest is replaced.
        force: Whether to download even if `target` is good.

    Returns:
        `target`.

    Raises:
        ArgumentError: If `url` is not an http or https address.
        DataError: If the server cannot be reached, answers with an error, or sends
            a file with another digest.
    """
    import pooch

    if urlsplit(url).scheme not in _SCHEMES:
        raise ArgumentError(
            f"Expected an http or https address, got {url!r}. "
            "Put a local file where it is read instead of downloading it."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    progress: _Progress = _RichProgress(target.name)
    # A forced download must not destroy the good file if it fails.
    name = f"{target.name}.new" if force else target.name
    try:
        pooch.retrieve(
            url,
            known_hash=digest,
            fname=name,
            path=target.parent,
            downloader=pooch.HTTPDownloader(
                progressbar=progress, timeout=_TIMEOUT_SECONDS
            ),
        )
    except (OSError, ValueError) as error:
        raise DataError(
            f"Could not download {url} to {target}: {error}. "
            "Check the connection, or get the file by other means and put it there."
        ) from error
    finally:
        progress.close()
    if force:
        os.replace(target.with_name(name), target)
    return target


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Download a file into the cache, unless it is there, and return its path.

    Args:
        fname: Name of the file in the cache, or of the folder when `extract` is set
            and the name has no suffix. None takes the last part of `origin`.
        origin: The http or https address.
        untar: The same as ``extract=True, archive_format="tar"``.
        md5_hash: The same as `file_hash` with ``hash_algorithm="md5"``.
        file_hash: Digest that the file must have, in hexadecimal.
        cache_subdir: Folder below `cache_dir`; an absolute path stands by itself.
        hash_algorithm: ``"sha256"``, ``"md5"`` or ``"auto"`` (told from the length).
        extract: Whether to unpack the archive.
        archive_format: ``"tar"``, ``"zip"``, ``"auto"``, or a list of formats to try.
        cache_dir: Root of the cache; None is the user's cache folder.
        force_download: Whether to download even if the file is there.

    Returns:
        The path of the file, or of the folder with the archive's content.

    Raises:
        ArgumentError: If an argument is missing or unknown.
        DataError: If the file cannot be downloaded, has another digest, or is no
            archive of the named formats.
    """
    if not origin:
        raise ArgumentError("Expected `origin`, the address of the file; got nothing.")
    name = os.fspath(fname) if fname else PurePosixPath(urlsplit(origin).path).name
    if not name or name != Path(name).name:
        raise ArgumentError(
            f"Expected `fname` to be a file name without folders, got {name!r}. "
            "Name the folder in `cache_dir` or `cache_subdir`."
        )
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    root = Path(cache_dir).expanduser() if cache_dir is not None else cache_root()
    folder = root / cache_subdir
    digest = _digest(file_hash, hash_algorithm)
    if not (extract or untar):
        return str(download(origin, folder / name, digest, force=force_download))

    stem = name.partition(".")[0]
    has_suffix = fname is not None and stem != name
    archive = folder / (name if has_suffix else f"{name}_archive")
    content = folder / (f"{stem}_extracted" if has_suffix else name)
    before = _modified(archive)
    download(origin, archive, digest, force=force_download)
    if not content.is_dir() or _modified(archive) != before:
        _extract(archive, content, _formats("tar" if untar else archive_format))
    return str(content)


def _digest(file_hash: str | None, algorithm: str) -> str | None:
    if file_hash is None:
        return None
    if algorithm == "auto":
        algorithm = _DIGEST_LENGTHS.get(len(file_hash), "auto")
    if algorithm not in _DIGEST_LENGTHS.values():
        raise ArgumentError(
            f"Cannot tell how {file_hash!r} was made. `hash_algorithm`: "
            f"{nearest(algorithm, ['auto', 'md5', 'sha256'])}"
        )
    return f"{algorithm}:{file_hash}"


def _modified(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None


def _formats(archive_format: str | Sequence[str] | None) -> list[Literal["tar", "zip"]]:
    if archive_format is None:
        return []
    if archive_format == "auto":
        return ["tar", "zip"]
    names = [archive_format] if isinstance(archive_format, str) else archive_format
    for name in names:
        if name not in ("tar", "zip"):
            raise ArgumentError(
                f"Unknown archive format {name!r}. "
                f"{nearest(name, ['auto', 'tar', 'zip'])}"
            )
    return cast("list[Literal['tar', 'zip']]", list(names))


def _files_only(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    """Let files and folders below `folder` pass and refuse all else.

    Python's own filter refuses absolute paths, ``..`` and devices. It lets links
    pass that stay inside, but long chains of links have misled it.
    """
    if not (member.isfile() or member.isdir()):
        raise tarfile.FilterError(f"{member.name!r} is a link or a device")
    return tarfile.data_filter(member, folder)


def _extract(archive: Path, target: Path, formats: list[Literal["tar", "zip"]]) -> None:
    """Unpack into a new folder beside `target` and put it in its place when whole."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=target.name) as folder:
        unpacked = Path(folder) / "content"
        unpacked.mkdir()
        try:
            if "tar" in formats and tarfile.is_tarfile(archive):
                with tarfile.open(archive) as tar:
                    tar.extractall(unpacked, filter=_files_only)
            elif "zip" in formats and zipfile.is_zipfile(archive):
                with zipfile.ZipFile(archive) as zipped:
                    zipped.extractall(unpacked)
            else:
                raise DataError(
                    f"{archive} is no archive of the formats {formats}. "
                    "Check `origin` and `archive_format`."
                )
        except (tarfile.TarError, zipfile.BadZipFile) as error:
            raise DataError(f"Could not unpack {archive}: {error}.") from error
        if target.exists():
            shutil.rmtree(target)
        os.replace(unpacked, target)
