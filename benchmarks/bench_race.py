"""Training, calling and predicting, beside hand-written code and beside Keras.

Each contender has a process of its own; all are pinned to one core and run in turns
(A B A B ...), so that a slow minute hits all of them. Nothing is timed before all
contenders have given the same losses. Run ``python -m benchmarks.bench_race`` to choose
workloads and contenders.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.race.contenders import CONTENDERS, enters
from benchmarks.race.workloads import WORKLOADS, Workload

__all__ = ["run"]

_ROOT = Path(__file__).parents[1]
_KINDS = ("fit", "call", "predict")
# Adam makes full steps of gradients that are rounding errors only, as those of the key
# biases of attention are, so losses drift apart by some steps' worth of 1e-3.
_LOSS_TOLERANCE = 2e-3


class _Worker:
    """A process that runs one contender.

    Args:
        name: Of the contender.
        workload: What it trains.
        python: The interpreter.
    """

    def __init__(self, name: str, workload: Workload, python: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks.race.worker", name, workload.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        self.start = self._answer()
        self.times: dict[str, list[dict[str, float]]] = {kind: [] for kind in _KINDS}

    def order(self, what: str, count: int) -> dict[str, float]:
        """Let the contender do something and return what it took."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what} {count}\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise RuntimeError(f"The contender {self.name} ended; see its traceback above.")

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def run(
    keras_python: str | None = None,
    *,
    workloads: Sequence[str] = tuple(WORKLOADS),
    contenders: Sequence[str] = tuple(CONTENDERS),
    rounds: int = 5,
) -> list[dict[str, Any]]:
    """Return one row for each workload and contender.

    Args:
        keras_python: An interpreter that has Keras; without it Keras does not enter.
        workloads: By name.
        contenders: By name.
        rounds: Measurements of each.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        rows = []
        for name in workloads:
            rows += _race(WORKLOADS[name], contenders, keras_python, rounds)
        return rows
    finally:
        os.sched_setaffinity(0, before)


def _race(
    workload: Workload, names: Sequence[str], keras_python: str | None, rounds: int
) -> list[dict[str, Any]]:
    workers: list[_Worker] = []
    try:
        for name in names:
            peer = name.startswith("keras")
            if enters(name, workload) and (keras_python or not peer):
                python = keras_python if peer and keras_python else sys.executable
                workers.append(_Worker(name, workload, python))
        first = workers[0].start["losses"]
        for worker in workers:
            np.testing.assert_allclose(
                worker.start["losses"],
                first,
                rtol=_LOSS_TOLERANCE,
                err_msg=f"{worker.name} and {workers[0].name} on {workload.name}",
            )
        counts = {"fit": 1, "call": 5 * workload.steps, "predict": 1}
        for kind in _KINDS:
            for turn in range(rounds + 1):
                for worker in workers:
                    taken = worker.order(kind, counts[kind])
                    if turn:
                        worker.times[kind].append(taken)
        return [_row(workload, worker, counts["call"]) for worker in workers]
    finally:
        for worker in workers:
            worker.close()


def _row(workload: Workload, worker: _Worker, calls: int) -> dict[str, Any]:
    def median(kind: str, clock: str) -> float:
        return statistics.median(taken[clock] for taken in worker.times[kind])

    return {
        "workload": workload.name,
        "contender": worker.name,
        "fit_ms": median("fit", "cpu") / workload.steps * 1e3,
        "fit_wall_ms": median("fit", "wall") / workload.steps * 1e3,
        "call_us": median("call", "cpu") / calls * 1e6,
        "predict_us": median("predict", "cpu") / workload.steps * 1e6,
        "first_step_s": worker.start["first_step_s"],
        "rss_mb": worker.times["predict"][-1]["rss_mb"],
    }


def _main() -> None:
    from benchmarks.__main__ import report

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=WORKLOADS)
    parser.add_argument(
        "--contenders", nargs="+", choices=CONTENDERS, default=CONTENDERS
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keras-python", default=None, metavar="PATH")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/race.json"))
    options = parser.parse_args()
    rows = run(
        options.keras_python,
        workloads=tuple(options.workloads),
        contenders=tuple(options.contenders),
        rounds=options.rounds,
    )
    report({"race": ("Race: medians of CPU time on one core", rows)}, options.json)


if __name__ == "__main__":
    _main()
