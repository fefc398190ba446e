"""A few of the files that ``fuzzing.py`` makes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def _script(name: str) -> ModuleType:
    path = Path(__file__).parent / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


fuzzing = _script("fuzzing")


@pytest.fixture(scope="module")
def loader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    return fuzzing.Loader(folder, fuzzing.valid_files(folder))


@pytest.mark.parametrize("kind", fuzzing.KINDS)
@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(number=st.integers(0, 10**9))
def test_only_our_errors_come_out(loader, kind, number):
    result = loader.load(kind, number)
    assert result == "loaded" or result.endswith("Error"), result


@pytest.mark.parametrize("kind", fuzzing.KINDS)
def test_valid_files_load(loader, kind, monkeypatch):
    monkeypatch.setitem(fuzzing.MUTATE, kind, lambda raw, rng: raw)
    assert loader.load(kind, 0) == "loaded"


def test_mutations_change_files_and_come_again(loader):
    import numpy as np

    for kind, mutate in fuzzing.MUTATE.items():
        made = [mutate(loader.valid[kind], np.random.default_rng(n)) for n in range(40)]
        again = [
            mutate(loader.valid[kind], np.random.default_rng(n)) for n in range(40)
        ]
        assert made == again
        assert sum(m != loader.valid[kind] for m in made) > 30
