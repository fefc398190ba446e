"""Training, evaluating, calling and predicting, beside native code and beside Keras.

Each contender has a process of its own; all are pinned to one core and run in turns
(A B A B ...), so that a slow minute hits all of them. On a GPU they are not pinned, and
time of the clock counts until the GPU is done. Nothing is timed before all contenders
have given the same losses. Run ``python -m benchmarks.bench_race`` to choose workloads,
contenders, device and dtype.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.race.contenders import CONTENDERS, enters, usual
from benchmarks.race.devices import DEVICES, environment, missing
from benchmarks.race.workloads import DTYPES, WORKLOADS, Workload

__all__ = ["loss_tolerance", "main", "run", "title"]

_ROOT = Path(__file__).parents[1]
_KINDS = ("fit", "evaluate", "call", "predict")
# Adam makes full steps of gradients that are rounding errors only, as those of the key
# biases of attention are, so losses drift apart by some steps' worth of 1e-3.
_LOSS_TOLERANCE = 2e-3
# Largest relative error of a number rounded to bfloat16, which keeps 8 bits.
_BFLOAT16_ROUNDING = 2**-8


class _Worker:
    """A process that runs one contender.

    Args:
        name: Of the contender.
        workload: What it trains.
        device: Where.
        python: The interpreter.
    """

    def __init__(self, name: str, workload: Workload, device: str, python: str) -> None:
        self.name = name
        module = "benchmarks.race.worker"
        self.process = subprocess.Popen(
            [python, "-m", module, name, workload.name, workload.dtype],
            env=os.environ | environment(device, workload.dtype),
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
    workloads: Sequence[str] = (),
    contenders: Sequence[str] = (),
    rounds: int = 5,
    device: str = "cpu",
    dtype: str = "float32",
) -> list[dict[str, Any]]:
    """Return one row for each workload and contender.

    Args:
        keras_python: An interpreter that has Keras; without it Keras does not enter.
        workloads: By name; none stands for the large ones on a GPU, else the others.
        contenders: By name; none stands for those that are usual on the device.
        rounds: Measurements of each.
        device: ``"cpu"`` or ``"cuda"``.
        dtype: Of computation.
    """
    large = device != "cpu"
    names = workloads or [w.name for w in WORKLOADS.values() if w.large == large]
    with _one_core() if device == "cpu" else nullcontext():
        rows = []
        for name in names:
            workload = replace(WORKLOADS[name], dtype=dtype)
            entering = [
                c for c in contenders or usual(device) if enters(c, workload, device)
            ]
            rows += _race(workload, entering, device, keras_python, rounds)
        return rows


def title(device: str = "cpu", dtype: str = "float32") -> str:
    """Return what the rows of a race are.

    Args:
        device: ``"cpu"`` or ``"cuda"``.
        dtype: Of computation.
    """
    if device == "cpu":
        return f"Race in {dtype}: medians of CPU time on one core"
    return f"Race in {dtype}: medians of time of the clock until the GPU is done"


def loss_tolerance(workload: Workload) -> float:
    """Return how far losses of two contenders may be apart, relative to them.

    Args:
        workload: What they train.
    """
    if workload.dtype == "float32":
        return _LOSS_TOLERANCE
    # Each layer rounds its outputs, wherever its author lets it. Errors of layers are
    # independent, so their squares add up.
    layers = len(workload.model.shapes())
    return _LOSS_TOLERANCE + math.sqrt(layers) * _BFLOAT16_ROUNDING


@contextmanager
def _one_core() -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _race(
    workload: Workload,
    names: Sequence[str],
    device: str,
    keras_python: str | None,
    rounds: int,
) -> list[dict[str, Any]]:
    workers: list[_Worker] = []
    try:
        for name in names:
            peer = name.startswith("keras")
            if keras_python or not peer:
                python = keras_python if peer and keras_python else sys.executable
                workers.append(_Worker(name, workload, device, python))
        for worker in workers:
            np.testing.assert_allclose(
                worker.start["losses"],
                workers[0].start["losses"],
                rtol=loss_tolerance(workload),
                err_msg=f"{worker.name} and {workers[0].name} on {workload.name}",
            )
        counts = {"fit": 1, "evaluate": 1, "call": 5 * workload.steps, "predict": 1}
        for kind in _KINDS:
            for turn in range(rounds + 1):
                for worker in workers:
                    taken = worker.order(kind, counts[kind])
                    if turn:
                        worker.times[kind].append(taken)
        return [_row(workload, worker, device, counts["call"]) for worker in workers]
    finally:
        for worker in workers:
            worker.close()


def _row(
    workload: Workload, worker: _Worker, device: str, calls: int
) -> dict[str, Any]:
    def median(kind: str, clock: str) -> float:
        return statistics.median(taken[clock] for taken in worker.times[kind])

    clock, other = ("cpu", "wall") if device == "cpu" else ("wall", "cpu")
    steps = workload.steps * workload.epochs
    return {
        "workload": workload.name,
        "dtype": workload.dtype,
        "contender": worker.name,
        "fit_ms": median("fit", clock) / steps * 1e3,
        f"fit_{other}_ms": median("fit", other) / steps * 1e3,
        "evaluate_us": median("evaluate", clock) / workload.steps * 1e6,
        "call_us": median("call", clock) / calls * 1e6,
        "predict_us": median("predict", clock) / workload.steps * 1e6,
        "first_step_s": worker.start["first_step_s"],
        "rss_mb": worker.times["predict"][-1]["rss_mb"],
    }


def main() -> None:
    """Read the command line and run what it asks for."""
    from benchmarks.__main__ import report

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=())
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=())
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keras-python", default=None, metavar="PATH")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/race.json"))
    options = parser.parse_args()
    device = DEVICES[options.device]
    contenders = tuple(options.contenders) or usual(device)
    reason = missing(device, contenders)
    if reason is not None:
        parser.error(reason)
    rows = run(
        options.keras_python,
        workloads=tuple(options.workloads),
        contenders=contenders,
        rounds=options.rounds,
        device=device,
        dtype=options.dtype,
    )
    report({"race": (title(device, options.dtype), rows)}, options.json)


if __name__ == "__main__":
    main()
