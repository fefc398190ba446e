"""Resident memory of the process after each epoch: it must stop growing."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["TARGET_MB", "draw", "run"]

TARGET_MB = 4.0
_SETTLED = 10


def run(epochs: int = 50) -> list[dict[str, Any]]:
    """Return one row an engine: megabytes after each epoch and the growth at last.

    Args:
        epochs: Epochs to train for.
    """
    from polykeras.backend import installed_backends

    rows = []
    for engine in ("numpy", "torch", "jax"):
        if engine not in installed_backends():
            continue
        # An engine's memory is its own only in a process of its own.
        command = [sys.executable, "-m", "benchmarks.bench_memory", engine, str(epochs)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=dict(os.environ)
        )
        if done.returncode:
            continue
        series = json.loads(done.stdout.splitlines()[-1])
        half = len(series) // 2
        rows.append(
            {
                "engine": engine,
                "first_mb": series[0],
                "settled_mb": series[min(_SETTLED, half)],
                "last_mb": series[-1],
                "growth_mb": max(series[half:]) - max(series[:half]),
                "target_mb": TARGET_MB,
                "series": series,
            }
        )
    return rows


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw what `run` returned: memory over epochs, a line an engine.

    Args:
        rows: What `run` returned.
        path: The picture; its ending is its format.
    """
    import matplotlib as mpl  # optional, and slow to import

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # after the choice of a window-less backend

    figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
    for row in rows:
        axes.plot(range(1, len(row["series"]) + 1), row["series"], label=row["engine"])
    axes.set(xlabel="epoch", ylabel="resident memory, MB", ylim=(0, None))
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)


def measure(engine: str, epochs: int) -> list[float]:
    """Train on `engine` and return the resident megabytes after each epoch."""
    import polykeras as keras

    keras.use_backend(engine)
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.random((1024, 64), dtype=np.float32)
    y = np.eye(10, dtype=np.float32)[rng.integers(0, 10, len(x))]
    model = keras.Sequential(
        [
            keras.layers.Input((64,)),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    series: list[float] = []

    def note(epoch: int, logs: Any = None) -> None:
        gc.collect()
        series.append(_resident_mb())

    watch = keras.callbacks.LambdaCallback(on_epoch_end=note)
    model.fit(
        x,
        y,
        batch_size=64,
        epochs=epochs,
        verbose=0,
        validation_data=(x[:256], y[:256]),
        callbacks=[watch],
    )
    return series


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    from benchmarks._measure import single_thread

    single_thread()
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
    else:
        for row in run():
            print({k: v for k, v in row.items() if k != "series"})
