"""The Python in README and docs runs, and their links lead somewhere."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        ROOT / "examples" / "README.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
)
BLOCK = re.compile(r"^```python([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)#\s]+)(?:#[^)]*)?\)")
# What a block needs, said after ```python, as in ```python mnist.npz.
FILE = re.compile(r"\S+\.npz")
# A full training run is what examples are for.
SHORTER = {"epochs=5,": "epochs=1, steps_per_epoch=2,"}


def blocks(path: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(path.read_text(encoding="utf-8"))


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


WITH_CODE = [path for path in DOCUMENTS if blocks(path)]


@pytest.mark.parametrize("path", WITH_CODE, ids=identify)
def test_python_blocks_run_in_order(path: Path, tmp_path: Path) -> None:
    """All blocks of a document share one namespace, as a reader's session does.

    A line ``expression  # -> value`` states what the expression prints as.
    """
    folder = os.environ.get("POLYKERAS_DATA_DIR")
    source = ["def check(value, said):", "    assert str(value) == said, (value, said)"]
    for info, code in blocks(path):
        needed = FILE.findall(info)
        if not all(folder and (Path(folder) / name).is_file() for name in needed):
            ast.parse(code)
            continue
        source += [_checked(line) for line in _shortened(code).splitlines()]
    script = tmp_path / "document.py"
    script.write_text("\n".join(source), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "POLYKERAS_BACKEND"},
    )
    assert done.returncode == 0, done.stderr


def _shortened(code: str) -> str:
    for long, short in SHORTER.items():
        code = code.replace(long, short)
    return code


def _checked(line: str) -> str:
    statement, arrow, said = line.partition("  # -> ")
    return f"check({statement}, {said!r})" if arrow else line


@pytest.mark.parametrize("path", DOCUMENTS, ids=identify)
def test_links_lead_to_files(path: Path) -> None:
    targets = LINK.findall(path.read_text(encoding="utf-8"))
    missing = [
        target
        for target in targets
        if not target.startswith(("http://", "https://"))
        and not (path.parent / target).exists()
    ]
    assert missing == []


def test_documents_are_found() -> None:
    names = {identify(path) for path in WITH_CODE}
    assert {"README.md", "docs/backends.md", "docs/gradients.md"} <= names
