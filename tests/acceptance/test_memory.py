"""Models that are made, used and dropped leave no memory behind."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import polykeras as pk
from polykeras import layers
from tests._process import give_memory_back
from tests.acceptance._support import FULL

STATM = Path("/proc/self/statm")
X, Y = np.ones((16, 8), "float32"), np.ones((16, 1), "float32")


def megabytes() -> float:
    """Return the resident memory of the process."""
    give_memory_back()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def one_round() -> None:
    model = pk.Sequential([pk.Input((8,)), layers.Dense(256, "relu"), layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    model.predict(X, verbose=0)


@pytest.mark.skipif(not STATM.exists(), reason="reads /proc, which only Linux has")
@pytest.mark.usefixtures("backend")
def test_memory_stays_flat():
    """Caches of compiled functions fill up at first, and then hold their size."""
    first, rounds = (30, 200) if FULL else (12, 12)
    for _ in range(first):
        one_round()
    before = megabytes()
    for _ in range(rounds):
        one_round()
    grown = megabytes() - before
    # Weights and slots of one round take 0.04 MB; compiled code on JAX about 0.5 MB.
    assert grown < 8, f"{grown:.1f} MB in {rounds} rounds"
