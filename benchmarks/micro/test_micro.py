"""Micro figures, kept by pytest-benchmark: ops, and the parts of a small model's life.

Each stands in a group with the same work done by the library alone. `make micro` runs
them and compares with the run before, so that a regression shows.
"""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks._dispatch_cases import OPS, front_end_calls, raw_calls
from benchmarks._measure import single_thread
from benchmarks.race.contenders import CONTENDERS
from benchmarks.race.workloads import WORKLOADS
from polykeras.backend import installed_backends, use_backend

# Engines are imported by what is measured; make sets the threads of NumPy.
single_thread()

ENGINES = [e for e in ("numpy", "torch", "jax") if e in installed_backends()]
BY_HAND = {"numpy": "numpy", "torch": "torch", "jax": "jax-scan"}
PARTS = {
    "model(x)": "call",
    "train_on_batch": "first_step",
    "fit": "fit",
    "predict": "predict",
}


@pytest.mark.parametrize("who", ["library", "polykeras"])
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("engine", ENGINES)
def test_op(benchmark: Any, engine: str, op: str, who: str) -> None:
    benchmark.group = f"{engine}: {op}"
    call, args = raw_calls(engine)[op]
    run = call if who == "library" else front_end_calls()[op]
    with use_backend(engine):
        run(*args)
        benchmark(run, *args)


@pytest.mark.parametrize("who", ["by hand", "polykeras"])
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("engine", ENGINES)
def test_model(benchmark: Any, engine: str, part: str, who: str) -> None:
    benchmark.group = f"{engine}: {part}"
    name = BY_HAND[engine] if who == "by hand" else f"polykeras-{engine}"
    run = getattr(CONTENDERS[name](WORKLOADS["mlp_tiny"]), PARTS[part])
    # What is traced or compiled is so at the first calls.
    for _ in range(3):
        run()
    benchmark(run)
