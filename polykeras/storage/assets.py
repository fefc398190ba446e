"""Files of layers, such as vocabularies, inside an archive.

A layer reads and writes them in a folder, by Keras' `save_assets(dir_path)` and
`load_assets(dir_path)`. The folder is a temporary one; an archive's member gets there
only under a part that the model has, and by a name that is no path.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from polykeras.errors import DataError, PolykerasError
from polykeras.storage.paths import parts

__all__ = ["collect_assets", "restore_assets"]

_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,100}")


def collect_assets(model: Any) -> dict[str, bytes]:
    """Return what the parts of a model keep in files: path to content."""
    found: dict[str, bytes] = {}
    for where, part in parts(model):
        if not hasattr(part, "save_assets"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            part.save_assets(folder)
            for file in sorted(Path(folder).iterdir()):
                found[f"{where}/{file.name}" if where else file.name] = (
                    file.read_bytes()
                )
    return found


def restore_assets(model: Any, assets: Mapping[str, bytes]) -> None:
    """Give the parts of a model what they keep in files.

    Raises:
        DataError: If a part cannot read its files.
    """
    if not assets:
        return
    by_part: dict[str, dict[str, bytes]] = {}
    for name, content in assets.items():
        where, _, plain = name.rpartition("/")
        if _PLAIN_NAME.fullmatch(plain):
            by_part.setdefault(where, {})[plain] = content
    for where, part in parts(model):
        if where not in by_part or not hasattr(part, "load_assets"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for plain, content in by_part[where].items():
                (Path(folder) / plain).write_bytes(content)
            try:
                part.load_assets(folder)
            except PolykerasError:
                raise
            except Exception as error:
                raise DataError(
                    f"The files of {part.name!r} are malformed: {error}"
                ) from error
