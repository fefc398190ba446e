"""A disk that loses power: what was not synced is torn, its names the old ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

__all__ = ["Disk", "PowerCut"]


class PowerCut(BaseException):
    """The moment at which a run ends."""


class Disk:
    """Files below a folder, and a moment at which power goes.

    Every call that syncs, renames or removes is a step. At the given step nothing
    happens any more; `cut` then leaves what a disk may hold: files that were changed
    after they were last synced are torn, and, if names are lost, changes of names in
    folders that were not synced since are undone.

    Args:
        folder: What stands on the disk.
        at: The step at which power goes; None for never.
    """

    def __init__(self, folder: Path, at: int | None = None) -> None:
        self.folder = folder
        self.at = at
        self.steps = 0
        self._durable = {p.stat().st_ino: p.read_bytes() for p in self._files()}
        self._undo: list[tuple[Path, Callable[[], Any]]] = []

    def _files(self) -> list[Path]:
        return [p for p in self.folder.rglob("*") if p.is_file()]

    def _step(self) -> None:
        if self.at is not None and self.steps >= self.at:
            raise PowerCut
        self.steps += 1

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch what the block does; the end of power ends the block."""
        calls = {n: getattr(os, n) for n in ("fsync", "replace", "rename", "unlink")}

        def fsync(handle: int) -> None:
            self._step()
            calls["fsync"](handle)
            path = Path(os.readlink(f"/proc/self/fd/{handle}"))
            if path.is_dir():
                self._undo = [(where, do) for where, do in self._undo if where != path]
            else:
                self._durable[path.stat().st_ino] = path.read_bytes()

        def renamed(call: Callable[..., None]) -> Callable[..., None]:
            def run(source: Any, target: Any) -> None:
                self._step()
                a, b = Path(source), Path(target)
                old = self._content(b)
                call(a, b)

                def undo() -> None:
                    if b.exists():  # It may have been removed under its new name.
                        a.parent.mkdir(exist_ok=True)
                        call(b, a)
                    self._restore(b, old)

                self._undo.append((b.parent, undo))

            return run

        def unlink(path: Any, *, dir_fd: int | None = None) -> None:
            self._step()
            old = None if dir_fd is not None else self._content(Path(path))
            calls["unlink"](path, dir_fd=dir_fd)
            if old is not None:
                where = Path(path)
                self._undo.append((where.parent, lambda: self._restore(where, old)))

        with (
            mock.patch.multiple(
                os,
                fsync=fsync,
                replace=renamed(calls["replace"]),
                rename=renamed(calls["rename"]),
                unlink=unlink,
            ),
        ):
            try:
                yield
            except PowerCut:
                return

    def cut(self, *, lose_names: bool) -> None:
        """Leave on the disk what survives."""
        for path in self._files():
            content = path.read_bytes()
            if self._durable.get(path.stat().st_ino) != content:
                path.write_bytes(content[: len(content) // 2])
        for _, undo in reversed(self._undo if lose_names else []):
            undo()

    def _content(self, path: Path) -> bytes | None:
        return path.read_bytes() if path.is_file() else None

    def _restore(self, path: Path, content: bytes | None) -> None:
        if content is not None:
            path.write_bytes(content)
