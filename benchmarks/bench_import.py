"""Seconds that a new interpreter needs to import things, and memory it then has."""

from __future__ import annotations

import statistics
import sys
from typing import Any

from benchmarks._measure import child_seconds

__all__ = ["CASES", "TARGET", "run"]

TARGET = 0.15
CASES = {
    "nothing": "pass",
    "numpy": "import numpy",
    "polykeras": "import polykeras",
    "polykeras and numpy": "import numpy, polykeras",
    "polykeras.Sequential": "import polykeras; polykeras.Sequential",
    "a model on NumPy": (
        "import polykeras as k; k.Sequential([k.layers.Input((4,)), k.layers.Dense(2)])"
    ),
}
_PEERS = {
    f"keras on {engine}": (
        f"import os; os.environ['KERAS_BACKEND'] = '{engine}'; import keras"
    )
    for engine in ("torch", "jax")
}


def run(rounds: int = 5, keras_python: str | None = None) -> list[dict[str, Any]]:
    """Return one row an import: median CPU seconds, alone and over ``numpy``.

    Args:
        rounds: New interpreters for each case, by turns.
        keras_python: An interpreter that has Keras, to compare with.
    """
    cases = [(name, sys.executable, code) for name, code in CASES.items()]
    if keras_python is not None:
        cases += [(name, keras_python, code) for name, code in _PEERS.items()]
        cases.append(("numpy of keras", keras_python, CASES["numpy"]))
    times: dict[str, list[float]] = {name: [] for name, _, _ in cases}
    for k in range(rounds + 1):
        for name, interpreter, code in cases:
            spent = child_seconds([interpreter, "-c", code])
            if k:
                times[name].append(spent)
    median = {name: statistics.median(values) for name, values in times.items()}
    return [
        {
            "import": name,
            "seconds": median[name],
            "over_numpy_s": median[name]
            - median["numpy of keras" if name in _PEERS else "numpy"],
            "target_s": TARGET if name == "polykeras and numpy" else None,
        }
        for name, _, _ in cases
    ]


if __name__ == "__main__":
    for row in run():
        print(row)
