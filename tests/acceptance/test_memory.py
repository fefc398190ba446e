"""Models that are made, used and dropped leave no memory behind."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
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


def grown(name: str, first: int, rounds: int) -> float:
    """Return by how many MB a process grows in some rounds after the first ones."""
    with pk.use_backend(name):
        for _ in range(first):
            one_round()
        before = megabytes()
        for _ in range(rounds):
            one_round()
        return megabytes() - before


@pytest.mark.skipif(not STATM.exists(), reason="reads /proc, which only Linux has")
def test_memory_stays_flat(backend):
    """Caches of compiled functions fill up at first, and then hold their size."""
    first, rounds = (30, 200) if FULL else (12, 12)
    # In a process of its own: what other tests let go of counts for nothing there.
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        more = alone.submit(grown, backend.name, first, rounds).result()
    # Weights and slots of one round take 0.04 MB; compiled code on JAX about 0.5 MB.
    assert more < 8, f"{more:.1f} MB in {rounds} rounds"
