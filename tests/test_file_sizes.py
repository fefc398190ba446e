"""Files stay small enough to be read at one sitting."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIMIT = 500
FOLDERS = ("polykeras", "backends")
TABLES = {"polykeras/ops/__init__.py"}  # nothing but the list of public names


def sources():
    return sorted(
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if path.relative_to(ROOT).as_posix() not in TABLES
    )


def test_sources_are_found():
    assert "polykeras/__init__.py" in sources()
    assert "backends/polykeras_numpy/__init__.py" in sources()


@pytest.mark.parametrize("path", sources())
def test_file_is_not_too_long(path):
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
    assert lines <= LIMIT, (
        f"{path} has {lines} lines; the limit is {LIMIT}. Split it by idea."
    )


@pytest.mark.parametrize("path", sorted(TABLES))
def test_table_holds_no_code(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Expr)
    assert all(isinstance(node, kinds) for node in tree.body)
