"""Files stay small enough to be read at one sitting."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIMIT = 500
FOLDERS = ("polykeras", "backends")


def sources():
    return sorted(
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
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
