"""Fixtures that every test may use."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator

import pytest

# Engines start one thread per core each; two test workers on two cores would fight.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

from polykeras.backend import Backend, get_backend, use_backend
from polykeras.random import set_random_seed
from tests._process import give_memory_back

pytest_plugins = ["polykeras.conformance.plugin"]

BACKENDS = [
    name
    for name in ("numpy", "torch", "jax")
    if importlib.util.find_spec(name) is not None
]


# Tests whose compiled programs are kept before they are dropped: some 7 MB each.
KEPT = 250
_run = {"tests": 0}


def pytest_configure(config: pytest.Config) -> None:
    """Let JAX keep its programs for the next run, where pytest keeps what it knows.

    Most of the time that tests spend on JAX is XLA's, which compiles a program of some
    operators for each shape.
    """
    cache = getattr(config, "cache", None)
    if cache is not None and not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(cache.mkdir("jax-programs"))
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"


def pytest_runtest_teardown() -> None:
    """Drop compiled programs now and then, which JAX would keep until it ends."""
    _run["tests"] += 1
    if _run["tests"] % KEPT == 0:
        for name in BACKENDS:
            if name in sys.modules:
                get_backend(name).release_programs()
        give_memory_back()


@pytest.fixture(autouse=True)
def _seed() -> None:
    """Let weights and draws without a seed of their own be the same in any order."""
    set_random_seed(0)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Each installed backend in turn, active for the test."""
    with use_backend(get_backend(request.param)) as chosen:
        yield chosen
