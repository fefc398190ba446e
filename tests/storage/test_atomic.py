"""Files that take the place of others: what killed and concurrent writers leave."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

import polykeras as keras
from polykeras.storage.atomic import atomic_path

WRITER = """
import sys
from pathlib import Path
from polykeras.storage.atomic import atomic_path

with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"of the other process")
    print("writing", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def another_process(path):
    """Start a process that stands in the middle of writing a file."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    with process:
        assert process.stdout.readline() == b"writing\n"
        try:
            yield process
        finally:
            process.kill()


def names(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize(
    "name", ["m.keras", "m.weights.h5", "m.weights.json", "m.safetensors"]
)
def test_what_a_killed_process_left_goes_with_the_next_save(tmp_path, name):
    # Of an index, a file that it names was being written.
    at_work = name.replace(".weights.json", "_0123456789ab_00000.weights.h5")
    for path in (tmp_path / at_work, tmp_path / "m.other"):
        with another_process(path) as process:
            process.kill()
    assert len(names(tmp_path)) == 2
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    if name.endswith(".keras"):
        model.save(tmp_path / name)
    else:
        size = {"max_shard_size": 1.0} if name.endswith("json") else {}
        model.save_weights(tmp_path / name, **size)
    assert name in names(tmp_path)
    # What belongs to another file stays for the next save of that one.
    left = [n for n in names(tmp_path) if n.startswith(".")]
    assert [n[: len(".m.other.")] for n in left] == [".m.other."]


def test_what_a_process_is_writing_stays(tmp_path):
    path = tmp_path / "file"
    with another_process(path) as process:
        with atomic_path(path) as temporary:
            temporary.write_bytes(b"of this process")
        assert path.read_bytes() == b"of this process"
        assert len(names(tmp_path)) == 2
        process.communicate(b"\n")
        assert process.returncode == 0
    assert path.read_bytes() == b"of the other process"
    assert names(tmp_path) == ["file"]


def test_writers_side_by_side(tmp_path):
    path = tmp_path / "file"

    def write(n):
        with atomic_path(path) as temporary:
            temporary.write_bytes(bytes([n]) * 1000)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(100)))
    assert len(set(path.read_bytes())) == 1
    assert names(tmp_path) == ["file"]


def test_a_block_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail():
        with atomic_path(path) as temporary:
            temporary.write_bytes(b"new")
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_others_may_read_what_they_may_by_default(tmp_path):
    plain, path = tmp_path / "plain", tmp_path / "m.safetensors"
    plain.touch()
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save_weights(path)
    assert path.stat().st_mode == plain.stat().st_mode


def test_a_long_name(tmp_path):
    path = tmp_path / ("n" * 250)
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"new")
    assert path.read_bytes() == b"new"
