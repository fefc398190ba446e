"""Collect the conformance suite with our own tests, for every installed backend."""

from __future__ import annotations

import pytest

from polykeras.conformance._settings import SECTIONS_FOLDER


class Suite(pytest.File):
    """Stands for the sections, which lie in the package."""

    def collect(self):
        # Children of the session, so that the fixtures of tests/ do not reach them.
        for path in sorted(SECTIONS_FOLDER.glob("test_*.py")):
            yield pytest.Module.from_parent(self.session, path=path)


def pytest_collect_file(file_path, parent):
    if file_path.name == "suite.md":
        return Suite.from_parent(parent, path=file_path)
    return None
