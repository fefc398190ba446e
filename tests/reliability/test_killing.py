"""A few kills of the many that ``killing.py`` makes, on every backend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = {"numpy": 6, "torch": 2, "jax": 2}


@pytest.mark.parametrize("seed", [0])
def test_a_killed_run_ends_like_an_undisturbed_one(backend, seed):
    # In a process of its own: starting processes by fork needs one without threads.
    kills = KILLS.get(backend.name, 2)
    result = subprocess.run(
        [
            sys.executable,
            str(Path(__file__).parent / "killing.py"),
            f"--backend={backend.name}",
            f"--kills={kills}",
            f"--seed={seed}",
            "--units=200",
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["equal"]
    assert found["kills"] == kills
