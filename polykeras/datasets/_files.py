"""Where a data set's files are looked for, and how they are fetched."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from numpy.typing import NDArray

from polykeras.errors import DataError
from polykeras.utils.files import cache_root, download

__all__ = ["DATA_DIR", "Arrays", "RemoteFile", "Splits", "find", "locate", "read_json"]

DATA_DIR: Final = "POLYKERAS_DATA_DIR"
"""The environment variable that names the user's own folder of data files."""

KERAS_FILES: Final = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

Arrays: TypeAlias = tuple[NDArray[Any], NDArray[Any]]
Splits: TypeAlias = tuple[Arrays, Arrays]


@dataclass(frozen=True)
class RemoteFile:
    """A public file.

    Attributes:
        name: Name of the local copy.
        url: Where it is published.
        digest: ``"sha256:..."`` or ``"md5:..."`` of the published file.
    """

    name: str
    url: str
    digest: str


def _folders() -> list[Path]:
    own = os.environ.get(DATA_DIR)
    cache = cache_root() / "datasets"
    return [Path(own).expanduser(), cache] if own else [cache]


def find(names: Sequence[str]) -> Path | None:
    """Return the first file of these names in the user's folder or the cache.

    Args:
        names: Names in order of preference within one folder.
    """
    for folder in _folders():
        for name in names:
            if (folder / name).is_file():
                return folder / name
    return None


def locate(
    remote: RemoteFile, path: str | os.PathLike[str] | None = None, *names: str
) -> Path:
    """Return the path of a file, downloading it if it is nowhere.

    A file that is already there is taken as it is: another compression of the same
    arrays has another digest, and it is the user who put it there.

    Args:
        remote: The published file.
        path: What the user asked for: a path with folders stands for that file alone,
            a mere name replaces the usual one. None is the usual name.
        names: More names under which a local copy is accepted.

    Returns:
        The path of an existing file.

    Raises:
        DataError: If the file is not there and cannot be downloaded.
    """
    accepted = [os.fspath(path) if path is not None else remote.name, *names]
    target = Path(accepted[0]).expanduser()
    if path is not None and target.name != str(target):
        if target.is_file():
            return target
        folders = [target.parent]
    else:
        found = find(accepted)
        if found is not None:
            return found
        folders = _folders()
        target = folders[-1] / target
    try:
        return download(remote.url, target, remote.digest)
    except (DataError, OSError) as error:
        searched = ", ".join(str(folder) for folder in folders)
        wanted = " or ".join(map(repr, accepted))
        raise DataError(
            f"The data file {wanted} is not in the folders searched ({searched}), "
            f"and downloading it failed. Set {DATA_DIR} to a folder that holds it, "
            f"or copy it to {target}. The download said: {error}"
        ) from error


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        DataError: If it is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(
            f"{path} is not a JSON file: {error}. Delete it to download it again."
        ) from error
