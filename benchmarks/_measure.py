"""Timing that holds up on a busy machine, and facts about that machine.

Two candidates are run in turns (A B A B ...), so that a slow minute hits both, and
medians are compared. CPU time of the process stands beside wall time: it does not
count the time in which other programs ran.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = [
    "Timing",
    "child_seconds",
    "interleaved",
    "machine",
    "single_thread",
    "versions",
]

_LIBRARIES = ("polykeras", "numpy", "torch", "jax", "keras")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Timing:
    """Median seconds of one run.

    Args:
        wall: By the clock.
        cpu: In which this process computed.
        runs: Number of measurements.
    """

    wall: float
    cpu: float
    runs: int


def single_thread() -> None:
    """Ask numerical libraries for one thread; call before importing them."""
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")


def interleaved(
    candidates: Mapping[str, Callable[[], Any]], *, rounds: int, warmup: int = 1
) -> dict[str, Timing]:
    """Run all candidates in turns and return the median time of each.

    Args:
        candidates: Name to what is measured.
        rounds: Runs of each candidate that count.
        warmup: Runs of each candidate before.
    """
    for _ in range(warmup):
        for run in candidates.values():
            run()
    wall: dict[str, list[float]] = {name: [] for name in candidates}
    cpu: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, run in candidates.items():
            start, start_cpu = time.perf_counter(), time.process_time()
            run()
            cpu[name].append(time.process_time() - start_cpu)
            wall[name].append(time.perf_counter() - start)
    return {
        name: Timing(
            statistics.median(wall[name]), statistics.median(cpu[name]), rounds
        )
        for name in candidates
    }


def child_seconds(command: Sequence[str], **environment: str) -> float:
    """Run a program, which must succeed, and return the CPU seconds it takes.

    Args:
        command: The program and its arguments.
        environment: Variables to add.
    """
    before = os.times()
    subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, **environment}
    )
    after = os.times()
    return (
        after.children_user
        - before.children_user
        + after.children_system
        - before.children_system
    )


def machine() -> dict[str, Any]:
    """Return what identifies the machine in a report."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "gpus": _gpu_names(),
        "threads": {name: os.environ.get(name) for name in _THREADS},
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
    }


def versions() -> dict[str, str]:
    """Return the installed versions of the libraries that are compared."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _gpu_names() -> list[str]:
    if shutil.which("nvidia-smi") is None:
        return []
    asked = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
