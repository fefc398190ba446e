"""Generated pages are those that the generator writes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from polykeras.conformance._settings import section_names

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_the_interface_is_current(generate) -> None:
    written = (DOCS / "spi.md").read_text(encoding="utf-8")
    assert written == generate.spi(), "run: python docs/generate.py spi"


def test_every_method_of_a_backend_is_described(generate) -> None:
    from polykeras.backend import Backend

    page = generate.spi()
    for name, method in generate.methods(Backend):
        assert f"### `{name}(" in page
        assert method.__doc__.strip()


def test_every_section_is_described() -> None:
    page = (DOCS / "conformance.md").read_text(encoding="utf-8")
    rows = {
        name.strip()
        for line in page.splitlines()
        if line.startswith("| ")
        for name in line.split("|")[1].split(",")
    }
    assert set(section_names()) <= rows
