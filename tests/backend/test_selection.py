"""Which backend is active: argument, block, process, environment, file, numpy."""

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from polykeras import errors
from polykeras.backend import (
    active,
    current_backend,
    engine_scope,
    get_backend,
    installed_backends,
    use_backend,
)
from polykeras.backend import (
    backend as backend_name,
)
from tests.backend._plugins import toy


@pytest.fixture
def restored():
    """Put the process-wide choice back after the test."""
    from polykeras.backend import _selection

    before, choices = _selection._process[0], list(_selection._choices)
    yield
    _selection._process[0], _selection._choices[:] = before, choices


def name_in(code, tmp_path, **environment):
    """Return what Python code prints in a process with this environment."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("POLYKERAS_")}
    result = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**inherited, "XDG_CONFIG_HOME": str(tmp_path / "no"), **environment},
    )
    return result.stdout.strip() or result.stderr.strip()


def config_file(folder, text):
    path = folder / "config.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("code", "environment", "file", "expected"),
    [
        ("", {}, None, "numpy"),
        ("", {}, 'backend = "filed"', "filed"),
        ("", {"POLYKERAS_BACKEND": "environ"}, 'backend = "filed"', "environ"),
        ("use_backend('process')", {"POLYKERAS_BACKEND": "environ"}, None, "process"),
        (
            "use_backend('process'); b = use_backend('block'); b.__enter__()",
            {"POLYKERAS_BACKEND": "environ"},
            None,
            "block",
        ),
    ],
    ids=["numpy", "file", "environment", "process", "block"],
)
def test_order_of_choices(code, environment, file, expected, tmp_path):
    program = f"""
import sys; sys.path.insert(0, {os.getcwd()!r})
import numpy as np
from polykeras.backend import BackendSpec, backend, registry, use_backend
from polykeras.backend.array_api import ArrayAPIBackend
from polykeras.backend._discovery import Provider
for name in ("filed", "environ", "process", "block"):
    load = lambda name=name: ArrayAPIBackend(np, name)
    registry().providers[name] = [Provider(BackendSpec(name, "", load), "test", "1")]
{code}
print(backend())
"""
    if file is not None:
        environment = {**environment, "POLYKERAS_CONFIG": config_file(tmp_path, file)}
    assert name_in(program, tmp_path, **environment) == expected


def test_environment_is_named_where_its_choice_is_unknown(tmp_path):
    code = "import polykeras as k; print(k.backend.backend())"
    text = name_in(code, tmp_path, POLYKERAS_BACKEND="nunpy")
    assert "Did you mean 'numpy'?" in text
    assert "The choice comes from the environment variable POLYKERAS_BACKEND" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("backend = ", "is not TOML"),
        ('backnd = "numpy"', "Did you mean 'backend'?"),
        (None, "which is no file"),
    ],
)
def test_bad_config_file_is_reported(text, words, tmp_path, monkeypatch):
    from polykeras.backend import configured

    path = str(tmp_path / "none") if text is None else config_file(tmp_path, text)
    monkeypatch.setenv("POLYKERAS_CONFIG", path)
    with pytest.raises(errors.PolykerasError, match=words):
        configured()


def test_nothing_is_written_on_import(tmp_path):
    code = "import polykeras.models, polykeras.random; print('ok')"
    home = tmp_path / "home"
    home.mkdir()
    shown = name_in(code, tmp_path, HOME=str(home), PYTHONDONTWRITEBYTECODE="1")
    assert shown == "ok"
    assert [p.name for p in tmp_path.rglob("*")] == ["home"]


# -- as a call and as a block ----------------------------------------------------


@pytest.mark.usefixtures("restored")
def test_as_a_call_it_holds_for_the_process():
    use_backend(toy("one"))
    assert backend_name() == "one"
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(backend_name).result() == "one"
    use_backend("numpy")
    assert backend_name() == "numpy"


@pytest.mark.usefixtures("restored")
def test_as_a_block_it_holds_for_the_block():
    use_backend("numpy")
    with use_backend(toy("one")) as one:
        assert active() is one
        with use_backend(toy("two")):
            assert backend_name() == "two"
        assert active() is one
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(backend_name).result() == "numpy"
    assert backend_name() == "numpy"


@pytest.mark.usefixtures("restored")
def test_block_ends_with_an_exception():
    use_backend("numpy")
    with pytest.raises(KeyError), use_backend(toy("one")):
        raise KeyError
    assert backend_name() == "numpy"


@pytest.mark.usefixtures("restored")
def test_block_can_be_entered_again_and_inside_itself():
    use_backend("numpy")
    block = use_backend(toy("one"))
    with block:
        with block:
            assert backend_name() == "one"
        assert backend_name() == "one"
    assert backend_name() == "numpy"
    with block:
        assert backend_name() == "one"
    assert backend_name() == "numpy"


@pytest.mark.usefixtures("restored")
def test_blocks_entered_in_any_order_leave_the_process_default():
    use_backend("numpy")
    # What two threads do that make their blocks at the same time.
    first, second = use_backend(toy("one")), use_backend(toy("two"))
    with first:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(second.__enter__).result()
            assert pool.submit(backend_name).result() == "two"
        assert backend_name() == "one"
    assert backend_name() == "numpy"


@pytest.mark.usefixtures("restored")
def test_many_calls_leave_nothing_behind():
    from polykeras.backend import _selection

    for _ in range(100):
        use_backend("numpy")
    assert len(_selection._choices) <= 2


@pytest.mark.usefixtures("restored")
def test_wrong_choice_changes_nothing():
    use_backend("numpy")
    with pytest.raises(errors.BackendNotFound, match="Did you mean 'numpy'"):
        use_backend("numpi")
    with pytest.raises(errors.ArgumentError, match="got 3 of type int"):
        use_backend(3)
    assert backend_name() == "numpy"


def test_backend_object_may_be_passed_directly():
    from polykeras import ops

    with use_backend(toy("mine")) as mine:
        assert current_backend() is mine
        assert int(ops.add(1, 2)) == 3
    assert get_backend(mine) is mine
    assert "mine" not in installed_backends()


# -- threads and tasks -----------------------------------------------------------


@pytest.mark.usefixtures("restored")
def test_two_threads_with_two_backends():
    use_backend("numpy")
    barrier = threading.Barrier(3, timeout=20)

    def work(name):
        with engine_scope(toy(name)):
            barrier.wait()
            inside = [backend_name() for _ in range(50)]
            barrier.wait()
        return {*inside}, backend_name()

    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(work, name) for name in ("one", "two")]
        barrier.wait()
        assert backend_name() == "numpy"
        barrier.wait()
        assert [r.result() for r in results] == [
            ({"one"}, "numpy"),
            ({"two"}, "numpy"),
        ]


@pytest.mark.usefixtures("restored")
def test_tasks_keep_their_own_backend():
    use_backend("numpy")

    async def work(name):
        with use_backend(toy(name)):
            await asyncio.sleep(0)
            inside = backend_name()
            await asyncio.sleep(0)
            return inside, backend_name()

    async def main():
        return await asyncio.gather(work("one"), work("two"))

    assert asyncio.run(main()) == [("one", "one"), ("two", "two")]
    assert backend_name() == "numpy"
