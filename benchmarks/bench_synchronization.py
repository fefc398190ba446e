"""How often the host waits for the device in a step, shown by a trace.

Each contender works on some batches and on twice as many under its library's profiler;
what the second run waits for more, it waits for in each step. ``python -m
benchmarks.bench_synchronization --device cuda`` does so on a GPU.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchmarks._measure import single_thread
from benchmarks.race.contenders import CONTENDERS
from benchmarks.race.devices import DEVICES, environment, missing
from benchmarks.race.traces import waits
from benchmarks.race.workloads import WORKLOADS, Workload

__all__ = ["TITLE", "run", "waits_a_step"]

TITLE = "Waits of the host for the device in a step"
# On JAX, the second runs many steps a call; on the CPU, convolutions forbid that.
_SMALL = ("resnet", "mlp_tiny")
_CONTENDERS = {
    "torch": ("torch", "polykeras-torch"),
    "jax": ("jax-jit", "jax-scan", "polykeras-jax"),
}
_KINDS = ("fit", "evaluate", "predict")
# Compiled, traced and measured for a first time.
_RUNS_BEFORE = 3


def run(
    libraries: Sequence[str] = tuple(_CONTENDERS),
    workloads: Sequence[str] = _SMALL,
    steps: int = 8,
    batch: int | None = 4,
) -> list[dict[str, Any]]:
    """Return one row for each workload and contender.

    Args:
        libraries: ``"torch"`` and ``"jax"``, or one of them.
        workloads: By name.
        steps: In the shorter run.
        batch: Samples in a step, which change no count; None for the workload's.
    """
    rows = []
    for name in workloads:
        workload = WORKLOADS[name]
        workload = replace(workload, batch=batch or workload.batch)
        for library in libraries:
            for contender in _CONTENDERS[library]:
                found = _measured(library, contender, workload, steps)
                rows.append({"workload": name, "contender": contender, **found})
    return rows


def waits_a_step(
    library: str, prepared: Callable[[int], Callable[[], Any]], steps: int
) -> float:
    """Return the waits that each step adds.

    Args:
        library: ``"torch"`` or ``"jax"``.
        prepared: Takes a number of steps, returns what runs so many.
        steps: In the shorter run.
    """
    counts = []
    for number in (steps, 2 * steps):
        act = prepared(number)
        for _ in range(_RUNS_BEFORE):
            act()
        counts.append(waits(library, act))
    return (counts[1] - counts[0]) / steps


def _measured(
    library: str, contender: str, workload: Workload, steps: int
) -> dict[str, float]:
    @cache
    def working_on(number: int) -> Any:
        return CONTENDERS[contender](replace(workload, steps=number, epochs=1))

    def prepared(kind: str, number: int) -> Callable[[], Any]:
        act: Callable[[], Any] = getattr(working_on(number), kind)
        return act

    return {
        kind: waits_a_step(library, partial(prepared, kind), steps) for kind in _KINDS
    }


def _main() -> None:
    from benchmarks.__main__ import report

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=None)
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument(
        "--json", type=Path, default=Path("benchmarks/synchronization.json")
    )
    options = parser.parse_args()
    device = DEVICES[options.device]
    reason = missing(device, tuple(_CONTENDERS))
    if reason is not None:
        parser.error(reason)
    single_thread()
    os.environ |= environment(device)
    large = [w.name for w in WORKLOADS.values() if w.large]
    usual = _SMALL if device == "cpu" else large
    rows = run(
        workloads=options.workloads or usual,
        steps=options.steps,
        batch=4 if device == "cpu" else None,
    )
    report({"synchronization": (TITLE, rows)}, options.json)


if __name__ == "__main__":
    _main()
