"""There is one test for each row of the requirements, named after it."""

from __future__ import annotations

import re
from pathlib import Path

# The rows of each part: A1 to A32, ...
ROWS = {"A": 32, "B": 31, "C": 24, "D": 12, "E": 13, "F": 13}


def test_every_row_has_a_test():
    wanted = [f"{part}{i:02d}" for part, n in ROWS.items() for i in range(1, n + 1)]
    assert len(wanted) == 125
    found = []
    for path in sorted(Path(__file__).parent.glob("test_?_*.py")):
        found += re.findall(r"^def test_([A-F]\d\d)\(", path.read_text(), re.MULTILINE)
    assert found == wanted
