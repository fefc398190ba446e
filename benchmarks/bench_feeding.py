"""`fit` from a generator of ready batches against `fit` from arrays of the same data.

Both train the same model on each engine, by turns on one core.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks._measure import interleaved
from benchmarks.race.workloads import WORKLOADS, Workload

__all__ = ["TARGET", "run"]

TARGET = 1.05
_WORKLOADS = ("mlp_tiny", "mlp_small", "transformer")


def run(
    engines: Sequence[str] = ("numpy", "torch", "jax"),
    workloads: Sequence[str] = _WORKLOADS,
    rounds: int = 11,
) -> list[dict[str, Any]]:
    """Return one row an engine and workload: milliseconds a step, and their ratio.

    Args:
        engines: Names of backends.
        workloads: By name.
        rounds: Measurements of each.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        return [
            _measure(engine, WORKLOADS[name], rounds)
            for engine in engines
            for name in workloads
        ]
    finally:
        os.sched_setaffinity(0, before)


def _measure(engine: str, workload: Workload, rounds: int) -> dict[str, Any]:
    import polykeras

    with polykeras.use_backend(engine):
        candidates = _candidates(polykeras, workload)
        times = interleaved(candidates, rounds=rounds, warmup=3)
    arrays, generator = times["arrays"].cpu, times["generator"].cpu
    return {
        "engine": engine,
        "workload": workload.name,
        "arrays_ms": arrays / workload.steps * 1e3,
        "generator_ms": generator / workload.steps * 1e3,
        "ratio": generator / arrays,
        "target": TARGET,
    }


def _candidates(keras: Any, workload: Workload) -> dict[str, Callable[[], Any]]:
    (x, y), size = workload.data(), workload.batch
    batches = [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]
    whole, fed = workload.compiled(keras), workload.compiled(keras)

    def ready() -> Iterator[Any]:
        yield from batches

    return {
        "arrays": lambda: whole.fit(x, y, batch_size=size, verbose=0),
        "generator": lambda: fed.fit(ready(), verbose=0),
    }
