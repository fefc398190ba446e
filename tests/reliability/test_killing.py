"""A few of the kills that ``killing.py`` and ``killing_saves.py`` make."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = {"numpy": 6, "torch": 2, "jax": 2}


def run(script, *arguments):
    result = subprocess.run(
        [sys.executable, str(Path(__file__).parent / script), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("seed", [0])
def test_a_killed_run_ends_like_an_undisturbed_one(backend, seed):
    # In a process of its own: starting processes by fork needs one without threads.
    kills = KILLS.get(backend.name, 2)
    found = run(
        "killing.py",
        f"--backend={backend.name}",
        f"--kills={kills}",
        f"--seed={seed}",
        "--units=200",
    )
    assert found["equal"]
    assert found["kills"] == kills


@pytest.mark.parametrize("kind", ["shards", "archive"])
def test_a_killed_save_leaves_the_old_file_or_the_new(kind):
    found = run("killing_saves.py", f"--kind={kind}", "--kills=6")
    assert found["kills"] == 6
    assert found["saves"] > 0
