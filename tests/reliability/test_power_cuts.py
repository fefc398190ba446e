"""Whenever power goes while files are replaced, the old ones or the new ones load."""

from __future__ import annotations

import itertools
import shutil
import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from _disk import Disk
from _saves import KINDS, fill, make, value_of

sys.path.pop(0)


@pytest.mark.parametrize("lose_names", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_old_or_the_new_files_load(tmp_path, kind, lose_names):
    save, load = KINDS[kind]
    model, reader = make(), make()
    before = tmp_path / "before"
    before.mkdir()
    for value in (0.5, 1.0):
        fill(model, value)
        save(model, before)
    count = len(list(before.rglob("*.*")))
    found = []
    for at in itertools.count():
        folder = tmp_path / f"at{at}"
        shutil.copytree(before, folder)
        disk = Disk(folder, at)
        fill(model, 2.0)
        with disk.running():
            save(model, folder)
        if at > disk.steps:
            assert value_of(load(reader, folder)) == 2.0
            break
        disk.cut(lose_names=lose_names)
        with warnings.catch_warnings():
            # A damaged checkpoint would be passed over with a warning.
            warnings.simplefilter("error")
            found.append(value_of(load(reader, folder)))
        fill(model, 3.0)
        save(model, folder)
        assert value_of(load(reader, folder)) == 3.0
        assert len(list(folder.rglob("*.*"))) == count
        shutil.rmtree(folder)
    assert set(found) == {1.0, 2.0}
    assert found == sorted(found)


def unsynced(folder):
    (folder / "new").write_bytes(b"new content")
    (folder / "new").replace(folder / "a")


def removed_first(folder):
    (folder / "a").unlink()
    (folder / "a").write_bytes(b"new content")


@pytest.mark.parametrize("write", [unsynced, removed_first])
def test_the_disk_finds_writers_that_lose_files(tmp_path, write):
    kept = set()
    for at in range(3):
        folder = tmp_path / str(at)
        folder.mkdir()
        (folder / "a").write_bytes(b"old content")
        disk = Disk(folder, at)
        with disk.running():
            write(folder)
        disk.cut(lose_names=False)
        path = folder / "a"
        kept.add(path.read_bytes() if path.exists() else None)
    assert kept - {b"old content", b"new content"}
