"""Data folders of a test's own, so that no test sees the user's files."""

import os
from pathlib import Path

import pytest

REAL_DATA = os.environ.get("POLYKERAS_DATA_DIR")


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Return the two folders searched: the user's and the cache's, both empty."""
    own = tmp_path / "own"
    cache = tmp_path / "cache"
    own.mkdir()
    cache.mkdir()
    monkeypatch.setenv("POLYKERAS_DATA_DIR", str(own))
    monkeypatch.setattr("polykeras.datasets._files.cache_root", lambda: cache)
    return own, cache / "datasets"


@pytest.fixture
def offline(monkeypatch):
    """Make every download fail as it does without a network."""
    from polykeras.errors import DataError

    def refuse(url, target, digest=None):
        raise DataError(f"Could not download {url} to {target}: no network.")

    monkeypatch.setattr("polykeras.datasets._files.download", refuse)


@pytest.fixture
def real_data(monkeypatch):
    """Return a function that gives a real file, or skips the test."""

    def get(name):
        if not REAL_DATA:
            pytest.skip("POLYKERAS_DATA_DIR is not set")
        path = Path(REAL_DATA) / name
        if not path.is_file():
            pytest.skip(f"{name} is not in POLYKERAS_DATA_DIR ({REAL_DATA})")
        monkeypatch.setenv("POLYKERAS_DATA_DIR", REAL_DATA)
        return path

    return get
