"""One contender in a process of its own, run by orders from standard input.

An order is a line ``what count``; the answer is a line of JSON. The process imports
only what its contender needs, so that its memory and its start are its own.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import replace
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Take part in the race named on the command line."""
    from benchmarks._measure import single_thread

    single_thread()
    name, workload_name, dtype = sys.argv[1:]
    from benchmarks.race.contenders import CONTENDERS
    from benchmarks.race.devices import synchronize
    from benchmarks.race.workloads import WORKLOADS

    workload = replace(WORKLOADS[workload_name], dtype=dtype)
    _import_engine(name)
    start = time.perf_counter()
    contender = CONTENDERS[name](workload)
    contender.first_step()
    first = time.perf_counter() - start
    # The losses to compare begin with the first weights.
    contender = CONTENDERS[name](workload)
    _answer({"first_step_s": first, "losses": contender.losses(3)})
    for line in sys.stdin:
        what, count = line.split()
        run = getattr(contender, what)
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(int(count)):
            run()
        synchronize(name)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        _answer({"wall": wall, "cpu": cpu, "rss_mb": memory})


def _import_engine(name: str) -> None:
    """Import the libraries, whose time `bench_import` measures."""
    if "torch" in name:
        import torch

        torch.set_num_threads(1)
    if "jax" in name:
        import jax

        jax.devices()
    if name.startswith("polykeras"):
        import polykeras

        assert polykeras.Sequential
    if name.startswith("keras"):
        import os

        os.environ["KERAS_BACKEND"] = name.removeprefix("keras-")
        import keras

        assert keras.Sequential


def _answer(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
