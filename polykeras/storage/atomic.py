"""Files that are either the old one or the new one, never half of each."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

__all__ = [
    "atomic_path",
    "make_folder",
    "remove_abandoned",
    "sync_file",
    "sync_folder",
    "working_folder",
]


# What ends the names of folders in which files are written.
_SUFFIX: Final = ".partial"
# Characters of a file's name in the name of its folder: names have a largest length.
_KEPT: Final = 40


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path that takes the place of `path` when all is written.

    The data reach the disk before the name changes. If the block raises, `path`
    stays as it was and the temporary file is gone.
    """
    with working_folder(path.parent, path.name) as work:
        temporary = work / path.name
        yield temporary
        sync_file(temporary)
        # Some libraries make files that only their owner may read.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    sync_folder(path.parent)


@contextmanager
def working_folder(parent: Path, name: str) -> Iterator[Path]:
    """Yield a new folder that is gone after the block, unless it was renamed.

    Those that killed processes left for the same name are removed first.

    Args:
        parent: Where to make it.
        name: What it is for.
    """
    remove_abandoned(parent, name)
    work, handle = _locked_folder(parent, name)
    try:
        yield work
    finally:
        try:
            shutil.rmtree(work, ignore_errors=True)
        finally:
            os.close(handle)


def remove_abandoned(parent: Path, name: str, *, more: bool = False) -> None:
    """Remove the working folders of processes that no longer run.

    Args:
        parent: Where they are.
        name: What they were for.
        more: Whether those for names that only begin so are removed too.
    """
    rest = ".*" if more else ""
    own = re.compile(rf"\.{re.escape(name[:_KEPT])}{rest}\.\w{{8}}{re.escape(_SUFFIX)}")
    for path in parent.iterdir():
        if not own.fullmatch(path.name) or path.is_symlink() or not path.is_dir():
            continue
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY)
            try:
                _lock(handle, wait=False)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(handle)


def _locked_folder(parent: Path, name: str) -> tuple[Path, int]:
    """Return a new folder and the handle that holds its lock."""
    # The lock tells who is still writing, however the others ended: the system gives
    # it back with the last handle. Process numbers would not, on a disk that several
    # machines or containers share. A process forked meanwhile shares the handle, so
    # the folder stays until that one has ended too.
    while True:
        work = Path(
            tempfile.mkdtemp(prefix=f".{name[:_KEPT]}.", suffix=_SUFFIX, dir=parent)
        )
        try:
            handle = os.open(work, os.O_RDONLY)
        except FileNotFoundError:
            continue
        # Where there are no locks, nobody gets one, and what is left over stays.
        with suppress(OSError):
            _lock(handle, wait=True)
        # Before it was locked, another process may have taken it for abandoned.
        if work.is_dir():
            return work, handle
        os.close(handle)


def _lock(handle: int, *, wait: bool) -> None:
    import fcntl  # absent from some systems, which can read files nevertheless

    fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def make_folder(path: Path) -> None:
    """Make a folder and those above it that lack, and wait until they are on disk."""
    if path.is_dir():
        return
    if path.parent != path:
        make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Wait until the content of a file has reached the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder have reached the disk."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _umask() -> int:
    # The mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
