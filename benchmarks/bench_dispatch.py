"""What an op costs beyond the array library's own call, on tiny tensors.

Two lines are reported for each op: over the library's public function, and over
the backend's kernel, which may do more than the library's function (silence
warnings, keep dtypes); the difference of the two is what the kernel adds.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from benchmarks._dispatch_cases import front_end_calls, measure, raw_calls

__all__ = ["TARGET", "run"]

TARGET = 300.0
_FAST = ("exp", "add")


def run(keras_python: str | None = None) -> list[dict[str, Any]]:
    """Return one row for each engine and op, times in nanoseconds of CPU time.

    Args:
        keras_python: An interpreter that has Keras, to compare with.
    """
    from polykeras.backend import installed_backends

    rows: list[dict[str, Any]] = []
    for engine in ("numpy", "torch", "jax"):
        if engine in installed_backends():
            rows += _engine(engine, keras_python)
    return rows


def _engine(engine: str, keras_python: str | None) -> list[dict[str, Any]]:
    from polykeras.backend import get_backend, use_backend
    from polykeras.errors import BackendError

    try:
        kernels = get_backend(engine).kernels
    except BackendError:
        return []
    raw = raw_calls(engine)
    wrapped = front_end_calls()
    bound = {name: kernels[name] for name in raw if name != "scale"}
    number = get_backend(engine).scalar(2.0, "float32")
    bound["scale"] = lambda x: kernels["multiply"](x, number)
    bound["sum"] = lambda x: kernels["sum"](x, (1,), False)
    with use_backend(engine):
        over_library = measure(wrapped, raw)
        over_kernel = measure(
            wrapped, {name: (bound[name], args) for name, (_, args) in raw.items()}
        )
    peer = _keras(engine, keras_python)
    rows = []
    for name in raw:
        ours, library = over_library[name]
        again, kernel = over_kernel[name]
        row = {
            "engine": engine,
            "op": name,
            "raw_ns": library,
            "polykeras_ns": ours,
            "over_kernel_ns": again - kernel,
            "over_library_ns": ours - library,
            "target_ns": TARGET if name in _FAST else None,
        }
        if peer:
            row["keras_over_library_ns"] = peer[name][0] - peer[name][1]
        rows.append(row)
    return rows


def _keras(engine: str, interpreter: str | None) -> dict[str, Any] | None:
    if interpreter is None:
        return None
    script = Path(__file__).with_name("_keras_dispatch.py")
    done = subprocess.run(
        [interpreter, str(script), engine], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    from benchmarks._measure import single_thread

    single_thread()
    for line in run():
        print(line)
